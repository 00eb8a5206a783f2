import cython

from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from scopetrace.model.call cimport Call
from named cimport build
from scopetrace.model.raw cimport RawRecord


cdef int PACKED


@cython.locals(packed=bytes)
cpdef on_call(State state, Task task, RawRecord record, Call call)
