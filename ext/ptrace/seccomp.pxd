from libc.stdint cimport uint8_t


cdef extern from "linux/filter.h" nogil:
    struct sock_filter:
        pass


cdef extern from "ptrace/seccomp.h" nogil:
    enum: FILTER_MAX

    int filter_build(const uint8_t *modes, sock_filter *program)
