import cython

from scopetrace.decode.files cimport DecodedFile
from scopetrace.model.open_file cimport Usage


cdef class FdTable:
    cdef object __weakref__
    cdef public dict fds, consoles, received, usages
    cdef public set cloexec
    cdef public Py_ssize_t users

    @cython.locals(table=FdTable)
    cpdef FdTable copy(self)
    cpdef open(self, fd, DecodedFile file, bint cloexec)
    @cython.locals(usage=Usage)
    cpdef put(self, fd, DecodedFile file, bint cloexec)
    @cython.locals(file=DecodedFile)
    cpdef duplicate(self, old, new, bint cloexec)
    @cython.locals(file=DecodedFile, usage=Usage)
    cpdef close(self, fd)
    @cython.locals(usage=Usage)
    cpdef Usage use(self, DecodedFile file)
