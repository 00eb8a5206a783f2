import cython

from scopetrace.decode.fd_tables cimport FdTable
from scopetrace.decode.files cimport DecodedFile
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from named cimport build


@cython.locals(file=DecodedFile)
cpdef emit_closed(State state, Task task, time_ns, str op, released)
cpdef close_table(State state, Task task, FdTable table, time_ns)
