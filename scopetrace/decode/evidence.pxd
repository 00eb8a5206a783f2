import cython

from scopetrace.decode.paths cimport text
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from named cimport build
from scopetrace.model.raw cimport RawRecord


@cython.locals(parts=dict)
cpdef evidence_of(State state, Task task, RawRecord record, str op, name=*, other=*)
@cython.locals(parts=dict)
cpdef _not_there(failing)
cdef str _text(dict parts, kind)
