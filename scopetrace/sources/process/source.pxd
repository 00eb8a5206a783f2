import cython

from scopetrace.model.image cimport Image
from scopetrace.source cimport Source


cdef class ProcessSource(Source):
    cdef _emit(self, str name, Image image, time_ns, tid, dict data)
    @cython.locals(image=Image, data=dict)
    cpdef _executed(self, operation)
    @cython.locals(image=Image)
    cpdef _forked(self, operation)
    @cython.locals(image=Image, data=dict)
    cpdef _exited(self, operation)
    @cython.locals(image=Image, data=dict)
    cpdef _signalled(self, operation)
