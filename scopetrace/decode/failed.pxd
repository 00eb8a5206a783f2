import cython

import cython

from scopetrace.decode.evidence cimport evidence_of
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from named cimport build, values
from scopetrace.model.raw cimport RawRecord


cdef long long MAX_ERRNO, REFUSED, FIRST_RESTART, LAST_RESTART


@cython.locals(error=cython.longlong)
cpdef emit_failed(State state, Task task, RawRecord record, str op, str kind, name, other=*)
cpdef emit_failed_fd(State state, Task task, RawRecord record, str op, str kind, fd)
@cython.locals(error=cython.longlong)
cpdef emit_process_failed(State state, Task task, RawRecord record, str op, str what)
cdef bint _is_error(long long error)
