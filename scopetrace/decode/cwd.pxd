from scopetrace.decode.failed cimport emit_failed, emit_failed_fd
from scopetrace.decode.path_arguments cimport path_of
from scopetrace.decode.paths cimport text
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task
from scopetrace.model.call cimport Call
from scopetrace.model.raw cimport RawRecord


cpdef change_folders(Task task, dict parts)
cpdef on_stat(State state, Task task, RawRecord record, Call call)
cpdef on_seek(State state, Task task, RawRecord record, Call call)
