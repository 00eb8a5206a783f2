import cython

from named cimport values
from scopetrace.model.image cimport Image
from scopetrace.model.names cimport octal_digits
from scopetrace.model.open_file cimport OpenFile, Usage
from scopetrace.source cimport Outlet, Source
from scopetrace.watch.rules cimport Rules


cdef dict TRANSFERS
cdef tuple NOT_WANTED


@cython.final
cdef class Wanted:
    cdef bint closes, failures, measures, opens


cdef class FsSource(Source):
    cdef dict _wanted, _flag_names

    @cython.locals(image=Image, file=OpenFile, wanted=Wanted)
    cpdef _opened(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage, wanted=Wanted)
    cpdef _closed(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage)
    cpdef _used(self, operation)
    @cython.locals(outlet=Outlet, tags=tuple)
    cdef _measure_use(self, Image image, time_ns, OpenFile file, Usage usage)
    @cython.locals(rules=Rules)
    cdef _emit(self, str name, Image image, time_ns, tid, dict data)
    @cython.locals(image=Image, wanted=Wanted)
    cpdef _failed(self, operation)
    cdef Wanted _wanted_by(self, Rules rules)
    cdef Wanted _ask(self, Rules rules)
    cdef str _name_flags(self, flags)


cdef dict _named(str op, str file, str passed)
@cython.locals(rules=Rules)
cdef tuple _owners(Image image, OpenFile file)
