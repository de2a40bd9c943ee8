"""Each worker says READY=1: the master does before any has loaded the program."""
import os
import socket


def post_worker_init(worker):
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(b"READY=1", address.replace("@", "\0", 1))
