import cython

from named cimport values
from scopetrace.model.flow cimport Flow
from scopetrace.model.image cimport Image
from scopetrace.streams.reading cimport Reading


cdef class Recognition:
    cdef public object _outlet, _sources, _keep
    cdef public dict _detectors

    cpdef process(self, Reading reading, operation)
    @cython.locals(image=Image, flow=Flow, data=bytes, done=cython.bint)
    cdef _read(self, Reading reading, operation)
