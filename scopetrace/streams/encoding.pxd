cpdef bint is_binary(bytes data, bint amid_binary=*) except -1
