# What the fields of a record are in C: `raw.py` reads them in place, from views of its batch.

import cython
from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t


cdef Py_ssize_t HEADER_SIZE, PART_SIZE


cdef class Batch:
    cdef bytes octets
    cdef Py_ssize_t size
    cdef const uint16_t[::1] halves
    cdef const uint32_t[::1] words
    cdef const uint64_t[::1] longs
    cdef const int64_t[::1] signed


@cython.final
@cython.freelist(8)
cdef class RawRecord:
    cdef Batch _batch
    cdef Py_ssize_t _payload
    cdef dict _parts
    cdef readonly uint16_t kind, syscall
    cdef readonly uint32_t size, pid, tid, copied, transferred
    cdef readonly uint64_t entered_ns, elapsed_ns, fd_serial
    cdef readonly uint64_t arg1, arg2, arg3, arg4, arg5, arg6
    cdef readonly int64_t result

    @cython.locals(batch=Batch, at=Py_ssize_t, end=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t,
                   last=Py_ssize_t, octets=cython.p_const_char, found=dict)
    cpdef dict parts(self)
    @cython.locals(batch=Batch, at=Py_ssize_t, end=Py_ssize_t, size=Py_ssize_t, start=Py_ssize_t,
                   last=Py_ssize_t, octets=cython.p_const_char, found=list)
    cpdef list all_parts(self, int wanted)
    @cython.locals(batch=Batch, at=Py_ssize_t, end=Py_ssize_t, start=Py_ssize_t)
    cpdef bytes first_part(self, int wanted)


cdef Py_ssize_t part_size(Batch batch, Py_ssize_t at, Py_ssize_t end) except -1

@cython.locals(word=Py_ssize_t, long=Py_ssize_t, record=RawRecord)
cpdef RawRecord record_at(Batch batch, Py_ssize_t at)
