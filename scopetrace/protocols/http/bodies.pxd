cdef class Fixed:
    cdef public object counted, _left
    cdef public bint ended


cdef class UntilEnd:
    cdef public object counted
    cdef public bint ended
