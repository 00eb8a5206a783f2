import os
import signal
import socket
import sys


def client(server):
    with socket.socket() as s:
        s.connect(server)
        os.write(s.fileno(), b"what time is it?")
        os.write(1, os.read(s.fileno(), 64))


door = socket.socket()
door.bind(("127.0.0.1", 0))  # port 0: any that is free
name = door.getsockname()
if len(sys.argv) > 1:  # bound, but nothing listens there
    sys.exit(socket.socket().connect_ex(name) != 0)
door.listen(1)

if os.fork() == 0:
    client(name)
    os._exit(0)
signal.alarm(10)  # ends this process if no caller comes
guest, _ = door.accept()
os.read(guest.fileno(), 64)
os.write(guest.fileno(), b"time for tea\n")
guest.close()
door.close()
os.wait()
