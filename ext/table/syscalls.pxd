from libc.stdint cimport uint8_t


cdef extern from "table/syscalls.h" nogil:
    enum: ROW_COUNT

    struct call:
        const char *name
        uint8_t group
        uint8_t stops
        uint8_t transfer
        uint8_t fd
        uint8_t fd2
        uint8_t path
        uint8_t path2
        uint8_t dirfd
        uint8_t dirfd2
        uint8_t makes_fd
        uint8_t pair
        uint8_t how
        uint8_t buffer
        uint8_t length
        uint8_t vector
        uint8_t count
        uint8_t message
        uint8_t messages
        uint8_t address
        uint8_t options
        uint8_t value
        uint8_t at_flags

    enum call_transfer:
        TRANSFER_NONE
        TRANSFER_IN
        TRANSFER_OUT
        TRANSFER_ACROSS

    const call CALLS[ROW_COUNT]
    const char *const GROUP_NAMES[]
