import ctypes
import os
import signal


def on_alarm(number, frame):
    os.write(1, b"ring\n")


signal.signal(signal.SIGALRM, on_alarm)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.3)
ctypes.CDLL(None).sigsuspend(bytes(128))  # with an empty set: wait for any

os.kill(os.getpid(), signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGTERM)
os.write(1, b"still here\n")
