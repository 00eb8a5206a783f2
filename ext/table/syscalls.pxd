from libc.stdint cimport uint8_t


cdef extern from "table/syscalls.h" nogil:
    enum: ROW_COUNT

    struct call:
        const char *name
        uint8_t group
        uint8_t stops

    const call CALLS[ROW_COUNT]
    const char *const GROUP_NAMES[]
