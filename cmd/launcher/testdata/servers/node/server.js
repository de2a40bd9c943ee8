// /slow tells that it has begun, by one more byte in a file, and takes three
// seconds. TERM is the drain, as every guide to Node has it: no new connections,
// and out when the last is done.
const fs = require('fs');
const http = require('http');
const net = require('net');
const path = require('path');

const server = http.createServer((request, response) => {
  const finish = () => response.end('finished\n');
  if (request.url !== '/slow') return finish();
  fs.appendFileSync(path.join(process.env.STATE, 'started'), '1');
  setTimeout(finish, 3000);
});

process.on('SIGTERM', () => server.close(() => process.exit(0)));
// It tells that it listens as einhorn's clients do: Node has no datagrams for READY=1.
server.listen(process.env.LISTEN_FDS ? { fd: 3 } : process.env.SOCKET, () => {
  if (!process.env.EINHORN_SOCK_PATH) return;
  const ack = { command: 'worker:ack', pid: process.pid };
  net.connect(process.env.EINHORN_SOCK_PATH).end(JSON.stringify(ack) + '\n');
});
