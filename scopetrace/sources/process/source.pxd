import cython

from named cimport values
from scopetrace.model.image cimport Image
from scopetrace.source cimport Source
from scopetrace.watch.rules cimport Rules


cdef class ProcessSource(Source):
    @cython.locals(rules=Rules)
    cdef _emit(self, str name, Image image, time_ns, tid, data)
    @cython.locals(image=Image)
    cpdef _executed(self, operation)
    @cython.locals(image=Image)
    cpdef _forked(self, operation)
    @cython.locals(image=Image)
    cpdef _exited(self, operation)
    @cython.locals(image=Image)
    cpdef _signalled(self, operation)
