cdef class CpuBudget:
    cdef public object clock_ns, bytes, taken_ns
    cdef public object _left_ns, _most_ns
    cdef public bint _used_up

    cpdef bint pay(self, taken_ns, size, items) except -1
