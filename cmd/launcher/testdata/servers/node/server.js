// /slow tells that it has begun, and takes three seconds. TERM is the drain, as
// every guide to Node has it: no new connections, and out when the last is done.
const fs = require('fs');
const http = require('http');
const path = require('path');

const server = http.createServer((request, response) => {
  const finish = () => response.end('finished\n');
  if (request.url !== '/slow') return finish();
  fs.writeFileSync(path.join(process.env.STATE, 'started'), '');
  setTimeout(finish, 3000);
});

process.on('SIGTERM', () => server.close(() => process.exit(0)));
server.listen(process.env.LISTEN_FDS ? { fd: 3 } : process.env.SOCKET);
