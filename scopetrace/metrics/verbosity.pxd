cdef dict _plans


cdef class Plan:
    cdef public str name, type, unit
    cdef public tuple tags, kept, places
    cdef public bint gauge, mean, numops, apart, lasting


cpdef dict plans(verbosity)
