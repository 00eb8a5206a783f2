import cython

from named cimport values
from scopetrace.model.flow cimport Flow
from scopetrace.model.image cimport Image
from scopetrace.source cimport Outlet
from scopetrace.streams.cpu_budget cimport CpuBudget
from scopetrace.streams.reading cimport Reading
from scopetrace.streams.recognition cimport Recognition


cdef class FlowOutlet(Outlet):
    pass


cdef class Flows:
    cdef public object _outlet, _mute
    cdef public Recognition _recognition
    cdef public dict _given_up

    @cython.locals(image=Image, flow=Flow)
    cpdef _transferred(self, operation)
    cdef _process(self, Reading reading, operation)
    cdef _process_early(self, Reading reading)
    cdef _process_in_budget(self, Reading reading, operation)
    @cython.locals(budget=CpuBudget)
    cdef bint _process_part(self, Reading reading, part) except -1
