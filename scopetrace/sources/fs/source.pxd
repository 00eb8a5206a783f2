import cython

from scopetrace.model.image cimport Image
from scopetrace.model.open_file cimport OpenFile, Usage
from scopetrace.source cimport Outlet, Source


cdef dict OPENED, CLOSED, TRANSFERS


cdef class FsSource(Source):
    @cython.locals(image=Image, file=OpenFile, data=dict)
    cpdef _opened(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage, data=dict)
    cpdef _closed(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage)
    cpdef _used(self, operation)
    @cython.locals(outlet=Outlet, tags=dict)
    cdef _measure_use(self, Image image, time_ns, OpenFile file, Usage usage)
    cdef _emit(self, str name, Image image, time_ns, tid, dict data)
    @cython.locals(image=Image, data=dict)
    cpdef _failed(self, operation)


cdef dict _named(str op, str file, str passed)
cdef _set_owners(dict data, Image image, OpenFile file)
