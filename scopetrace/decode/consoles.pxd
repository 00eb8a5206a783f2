import cython

from scopetrace.decode.tasks cimport Task, Tree
from scopetrace.model.open_file cimport OpenFile


cdef class Console:
    cdef public list names
    cdef public object holders

    cpdef give(self, OpenFile file, name)


cdef class Consoles:
    cdef public dict _by_inode, _by_terminal

    @cython.locals(console=Console)
    cpdef recognise(self, OpenFile file, name=*)
    cpdef recognise_opened(self, OpenFile file, Task task, Tree tree)
    cdef Console _find(self, OpenFile file)


cdef bint _is_controlling(OpenFile file)
