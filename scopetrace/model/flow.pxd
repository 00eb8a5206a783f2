cdef class Flow:
    cdef public object local, peer, fd, opened_ns, reading
    cdef public str transport, peer_name, role, reason, error
    cdef public bint is_stream
    cdef public tuple layers
    cdef public dict facts, fields, socket_shared


cdef class FlowUsage:
    cdef public bint opened
    cdef public object reads, read_bytes, writes, write_bytes
    cdef public tuple measured
