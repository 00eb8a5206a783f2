from libc.stdint cimport uint8_t

from table.copy_plan cimport copy_plan

cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"


cdef extern from "linux/filter.h" nogil:
    struct sock_filter:
        pass


cdef extern from "ptrace/seccomp.h" nogil:
    enum: FILTER_MAX

    int filter_build(
        const uint8_t *modes, const copy_plan *plan, c_bool gate, sock_filter *program
    )
