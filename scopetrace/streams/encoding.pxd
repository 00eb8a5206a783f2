import cython


cdef bytes _PLAIN


cpdef bint is_binary(bytes data, bint amid_binary=*) except -1

@cython.locals(plain=cython.p_const_char, byte=cython.uchar)
cdef bint _is_plain(bytes data) except -1
