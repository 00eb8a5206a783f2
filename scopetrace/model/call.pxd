cdef class Call:
    cdef public str name, op, group, direction
    cdef public int fd, fd2, dirfd, dirfd2, options
