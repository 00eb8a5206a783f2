from libc.stdint cimport int16_t, uint32_t


cdef extern from "arch/abi.h" nogil:
    struct abi:
        const char *name
        uint32_t audit_arch
        uint32_t mark
        const int16_t *numbers

    const abi ABIS[]
