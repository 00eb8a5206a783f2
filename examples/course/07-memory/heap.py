import os

os.getppid()  # a mark in the list of calls
small = [bytes(100) for _ in range(1000)]
os.getpgrp()  # a second mark
big = bytearray(10 * 1024 * 1024)
big[0] = 1
del big
os.getsid(0)  # a third mark
del small
