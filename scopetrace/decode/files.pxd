import cython

from scopetrace.decode.paths cimport text
from named cimport build
from scopetrace.model.open_file cimport OpenFile


cdef object unpack_stat


cdef class DecodedFile(OpenFile):
    cdef public object socket
    cdef public bint duplicated, named_by_link

    cdef _begin(self, str path, status, opened_ns)


@cython.locals(raw_stat=object, link=str, file=DecodedFile)
cpdef DecodedFile open_file(dict parts, str otherwise, opened_ns)
