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
