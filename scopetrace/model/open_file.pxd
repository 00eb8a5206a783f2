# What open files and their usage are in C. Numbers of a usage stay objects: they never overflow.

import cython


cdef tuple NO_CALLS, NOTHING


@cython.locals(at=Py_ssize_t)
cdef tuple _less(tuple counts, others)


cdef class OpenFile:
    cdef object __weakref__
    cdef public str path
    cdef public object stat, opened_ns, utf16, muted, fd
    cdef public bint named
    cdef public str console, passed

    cdef _begin(self, str path, status, opened_ns)


@cython.final
@cython.freelist(64)
cdef class Usage:
    cdef public object opened, mapped
    cdef public object reads, read_bytes, read_ns, writes, write_bytes, write_ns
    cdef public object emitted_bytes, listening
    cdef public Py_ssize_t fds
    cdef public dict flows, calls
    cdef public tuple measured

    cpdef tuple unmeasured(self)
    @cython.locals(now=tuple, found=list, reads=tuple, writes=tuple, counts=list)
    cpdef list unmeasured_calls(self)
    cpdef add(self, tuple tally)
    cpdef add_call(self, outgoing, op, list counts)
