import cython

from scopetrace.decode.fd_tables cimport FdTable
from scopetrace.model.image cimport Image


cdef class Folders:
    cdef public str cwd, root


cdef class ThreadGroup:
    cdef public object pid, process_group, started_ns
    cdef public Image image, uring_noticed
    cdef public set tids
    cdef public tuple pid_namespaces


cdef class Task:
    cdef public object tid
    cdef public ThreadGroup group
    cdef public FdTable table
    cdef public Folders folders


cdef class Tree:
    cdef public dict tasks, groups
    cdef public object images

    cpdef Image new_image(self, pid, ppid, time_ns)
    @cython.locals(table=FdTable, folders=Folders, group=ThreadGroup)
    cpdef Task clone(self, Task parent, pid, tid, flags, time_ns)
    cpdef unshare(self, Task task, flags)
    @cython.locals(group=ThreadGroup)
    cpdef bint remove(self, Task task)
    @cython.locals(task=Task)
    cdef Task _add(self, tid, ThreadGroup group, FdTable table, Folders folders)
    @cython.locals(group=ThreadGroup)
    cdef ThreadGroup _new_group(self, pid, Image image)
    @cython.locals(image=Image)
    cdef Image _inherited(self, Image parent, pid, flags, time_ns)
