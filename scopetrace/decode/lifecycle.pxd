import cython

from scopetrace.decode.closing cimport close_table, emit_closed
from scopetrace.decode.cwd cimport change_folders
from scopetrace.decode.fd_tables cimport FdTable
from scopetrace.decode.failed cimport emit_failed, emit_process_failed
from scopetrace.decode.path_arguments cimport path_of
from scopetrace.decode.paths cimport text
from scopetrace.decode.state cimport State
from scopetrace.decode.tasks cimport Task, ThreadGroup, Tree
from scopetrace.model.call cimport Call
from scopetrace.model.image cimport Image
from named cimport build
from scopetrace.model.raw cimport RawRecord


@cython.locals(parts=dict, old=Image, new=Image)
cpdef on_exec(State state, Task task, RawRecord record, Call call)
@cython.locals(tree=Tree, group=ThreadGroup, caller=Task, other=Task)
cdef Task _only_task(State state, Task leader, RawRecord record, time_ns)
@cython.locals(table=FdTable, listed=bytes)
cdef _close_at_exec(State state, Task task, dict parts, bint none_closed, time_ns)
@cython.locals(old=Image, image=Image)
cdef Image _image(State state, Task task, RawRecord record, dict parts, time_ns)
@cython.locals(ids=bytes, status=dict)
cdef tuple _ids(dict parts, tuple before)
cdef _notice_lost_privilege(State state, Task task, dict parts, time_ns)
cdef bint _gives_privilege(Image image, dict parts) except -1
@cython.locals(child=Task)
cpdef on_fork(State state, Task task, RawRecord record, Call call)
@cython.locals(group=ThreadGroup, image=Image)
cpdef on_exit(State state, Task task, RawRecord record, Call call)
@cython.locals(image=Image)
cpdef on_signal(State state, Task task, RawRecord record, Call call)
