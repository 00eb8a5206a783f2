import cython

from scopetrace.decode.closing cimport emit_closed
from scopetrace.decode.failed cimport emit_failed, emit_process_failed
from scopetrace.decode.path_arguments cimport open_flags, path_of
from scopetrace.decode.paths cimport text
from scopetrace.decode.transfers cimport add_tally, on_read
from scopetrace.decode.files cimport DecodedFile, open_file
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from scopetrace.model.call cimport Call
from named cimport build
from scopetrace.model.raw cimport RawRecord


cdef unsigned long long INT, O_CLOEXEC, O_CREAT, O_PATH, O_TMPFILE


@cython.locals(
    parts=dict, file=DecodedFile, as_passed=str, meant=str, otherwise=str, flags=cython.ulonglong
)
cpdef on_open(State state, Task task, RawRecord record, Call call)
cdef _add(State state, Task task, RawRecord record, DecodedFile file, bint cloexec)
cdef _emit_opened(State state, Task task, str op, DecodedFile file, fd, flags, str passed, bint created=*)
cpdef on_close(State state, Task task, RawRecord record, Call call)
cpdef on_dup(State state, Task task, RawRecord record, Call call)
