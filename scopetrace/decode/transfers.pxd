import cython

from scopetrace.decode.files cimport DecodedFile
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from scopetrace.model.call cimport Call
from named cimport build
from scopetrace.model.open_file cimport Usage
from scopetrace.model.raw cimport RawRecord


cdef unsigned long long INT


@cython.locals(file=DecodedFile, usage=Usage)
cpdef on_tally(State state, Task task, RawRecord record, Call call)
@cython.locals(file=DecodedFile, usage=Usage, parts=dict)
cpdef add_tally(State state, Task task, fd, RawRecord record)
@cython.locals(file=DecodedFile, usage=Usage)
cpdef on_write(State state, Task task, RawRecord record, Call call)
@cython.locals(file=DecodedFile, usage=Usage)
cdef DecodedFile _console_side(Task task, fd, count)
cpdef on_read(State state, Task task, RawRecord record, Call call)
