from scopetrace.model.image cimport Image
from scopetrace.model.open_file cimport OpenFile


cdef class TextTarget:
    cdef public object sourcetype, source, content


cdef class Outlet:
    cdef dict __dict__

    cpdef emit(self, Image image, time_ns, tid, str sourcetype, str source, channel, data)
    cpdef measure_with(self, Image image, time_ns, str name, value, numops, tuple tags)


cdef class Source:
    cdef dict __dict__
    cdef public Outlet outlet

    cpdef text_target(self, Image image, OpenFile file)
