cdef class Headers:
    cdef public object pairs, length
    cdef public str coding
    cdef public bint misleads
    cdef public dict _values

    cpdef str get(self, bytes name)
    cdef _length(self)
    cdef str _coding(self)


cpdef str text(bytes value)
