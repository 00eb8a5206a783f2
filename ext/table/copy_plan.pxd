from libc.stddef cimport size_t
from libc.stdint cimport uint8_t, uint32_t

cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"


cdef extern from "table/copy_plan.h" nogil:
    enum: NOT_RECORDED

    struct copy_:
        pass

    ctypedef copy_ copy_row "struct copy"

    ctypedef uint8_t call_arguments[3][1024]

    struct copy_plan:
        pass

    copy_plan *copy_plan_new(const copy_row *copies, size_t count, const uint8_t (*arguments)[1024],
                             c_bool others, uint32_t snaplen)
