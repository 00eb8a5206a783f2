import os
import select
import threading
import time


def work():
    time.sleep(0.3)
    os.write(writer, b"done")


reader, writer = os.pipe()
poll = select.poll()
poll.register(reader, select.POLLIN)
poll.poll(200)  # 1: wait for data, but at most 200 ms

epoll = select.epoll()
epoll.register(reader, select.EPOLLIN)
worker = threading.Thread(target=work)
worker.start()
epoll.poll()  # 2: wait for data, however long

worker.join()
worker = threading.Thread(target=work)
worker.start()
os.getppid()  # a mark
worker.join()  # 3: wait for the end of a thread
