cdef extern from "call/sockets.h" nogil:
    int borrow_fd(int pid, int fd)
