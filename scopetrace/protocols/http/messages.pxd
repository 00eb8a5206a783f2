cdef class Message:
    cdef public object began_ns, declared, stream, counted, noted
    cdef public str version
    cdef public bint after_loss, truncated, emitted


cdef class Request(Message):
    cdef public object headed_ns, weight
    cdef public str method, target, scheme, host, frame, grpc_method
    cdef public bint expects_continue, refused


cdef class Response(Message):
    cdef public object status, grpc_status
    cdef public Request request
    cdef public str reason, grpc_message

    cpdef bint answers(self, str method)


cdef class Budget:
    cdef public object _left

    cpdef take(self, Request request)
    cpdef give(self, Request request)
    cpdef hold(self, size)
