from libc.stdint cimport uint8_t, uint32_t

from table.syscalls cimport ROW_COUNT

cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"


cdef extern from "call/context.h" nogil:
    struct call_options:
        uint8_t modes[ROW_COUNT]
        uint32_t snaplen
        uint32_t flow_snaplen
        c_bool counts
