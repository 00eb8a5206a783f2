import cython

from named cimport values
from scopetrace.metrics.meter cimport Meter
from scopetrace.model.image cimport Image


cdef class CpuSamples:
    cdef public object before_us, us, at_ns


cdef class Processes:
    cdef public Meter _meter
    cdef public dict _live, _cpu, _children, _most_children
    cdef public object _waiting, _round_ns, _launched

    cpdef process_written(self, Image image)
    @cython.locals(image=Image)
    cpdef on_leaving(self, operation)
    @cython.locals(image=Image, samples=CpuSamples)
    cpdef on_exited(self, operation)
    @cython.locals(image=Image)
    cpdef on_image_ended(self, operation)
    @cython.locals(image=Image)
    cdef _forget(self, pid)
    cdef _sample_gauges(self, Image image, time_ns, status, fds, children)
    cdef _sample_cpu(self, Image image, time_ns, CpuSamples samples, us, until_ns)
