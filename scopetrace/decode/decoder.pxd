import cython

from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from scopetrace.model.raw cimport RawRecord


cdef int SYSCALL


cdef class Decoder:
    cdef dict __dict__
    cdef readonly State state
    cdef readonly object misunderstood, first_misunderstood
    cdef public list _rows

    @cython.locals(state=State, task=Task, kind=int)
    cpdef decode(self, RawRecord record)
