import cython

from scopetrace.model.flow cimport Flow
from named cimport build


cdef class Socket:
    cdef public object domain, protocol, local, target, connecting_since_ns, ended_ns
    cdef public str transport
    cdef public int state
    cdef public bint is_stream, has_one_peer, listen_emitted
    cdef public Flow flow
    cdef public dict peers, shared

    @cython.locals(flow=Flow)
    cpdef Flow flow_with(
        self, emit, task, op, file, fd, peer, bint outgoing, time_ns
    )
    cpdef received(self, Flow flow, count, time_ns)
