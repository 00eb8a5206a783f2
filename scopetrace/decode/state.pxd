from scopetrace.decode.consoles cimport Consoles
from scopetrace.decode.tasks cimport Tree


cdef class State:
    cdef public object calls, emit, offset_ns, pids, sockets, searches_left, bound
    cdef public object named_by_link, closed_sockets, created_files
    cdef public Tree tree
    cdef public Consoles consoles
