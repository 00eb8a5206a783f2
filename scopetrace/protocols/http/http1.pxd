import cython

from scopetrace.protocols.http.headers cimport Headers, text
from scopetrace.protocols.http.messages cimport Budget, Message, Request, Response
from scopetrace.protocols.http.side cimport Side


cdef class PendingRequests:
    cdef public set _out_of_sync
    cdef public bint _pipelined
    cdef public Budget _budget
    cdef public object _requests

    cdef add(self, Request request)
    @cython.locals(request=Request)
    cdef Request take_answered(self)


cdef class Http1Side(Side):
    cdef public object emitter
    cdef public PendingRequests pending


cdef class RequestSide(Http1Side):
    cdef public bint answered_ahead

    @cython.locals(request=Request)
    cpdef begin(self, began_ns, start, Headers headers, size)
    cpdef Py_ssize_t _take_body(self, body, buffer, Py_ssize_t position) except -1


cdef class ResponseSide(Http1Side):
    cdef public RequestSide _requests

    @cython.locals(request=Request, response=Response)
    cpdef begin(self, began_ns, start, Headers headers, size)
    cdef _read_what_follows(self, Response response, Headers headers)
    cpdef other_side_progressed(self)


cdef class Http1:
    cdef public object successor, _emitter, _most_bytes
    cdef public PendingRequests _pending
    cdef public RequestSide _requests
    cdef public ResponseSide _responses

    cpdef feed(self, time_ns, bint from_client, bytes data)
    cpdef skip(self, bint from_client, size)
    cpdef end(self, bint from_client)
    cdef Side _side(self, bint from_client)
    @cython.locals(side=Side)
    cdef _note_progress(self, bint from_client)
