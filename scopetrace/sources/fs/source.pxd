import cython

from scopetrace.model.image cimport Image
from scopetrace.model.names cimport octal_digits
from scopetrace.model.open_file cimport OpenFile, Usage
from scopetrace.source cimport Outlet, Source
from scopetrace.watch.rules cimport Rules


cdef dict TRANSFERS
cdef tuple NOT_WANTED


cdef class FsSource(Source):
    @cython.locals(image=Image, file=OpenFile, rules=Rules)
    cpdef _opened(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage, rules=Rules)
    cpdef _closed(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage)
    cpdef _used(self, operation)
    @cython.locals(outlet=Outlet, tags=tuple)
    cdef _measure_use(self, Image image, time_ns, OpenFile file, Usage usage)
    @cython.locals(rules=Rules)
    cdef _emit(self, str name, Image image, time_ns, tid, dict data)
    @cython.locals(image=Image, rules=Rules)
    cpdef _failed(self, operation)


cdef dict _named(str op, str file, str passed)
@cython.locals(rules=Rules)
cdef tuple _owners(Image image, OpenFile file)
