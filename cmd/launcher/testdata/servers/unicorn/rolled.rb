require "socket"

worker_processes 1
timeout 60
# sd_notify(3): READY=1 in one datagram, once the worker has loaded the program.
after_worker_ready do |_server, _worker|
  Socket.new(:UNIX, :DGRAM).send("READY=1", 0, Socket.sockaddr_un(ENV.fetch("NOTIFY_SOCKET").sub(/\A@/, "\0")))
end
