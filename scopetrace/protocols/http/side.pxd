import cython

from scopetrace.protocols.http.headers cimport Headers
from scopetrace.protocols.http.messages cimport Message
from scopetrace.protocols.http.receive_buffer cimport ReceiveBuffer


cdef class Side:
    cdef public ReceiveBuffer received
    cdef public object unparsed, body, _long_head, _read_whole_head
    cdef public str switched
    cdef public Message _message
    cdef public bint made_progress, after_loss, truncated, _skipping, _strict
    cdef public Py_ssize_t _first_line_size

    @cython.locals(position=Py_ssize_t, end=Py_ssize_t, reached=Py_ssize_t)
    cpdef feed(self, time_ns, bytes data)
    cpdef end(self)
    cpdef complete_counted(self)
    cpdef abandon_body(self)
    cpdef lose_sync(self)
    cpdef other_side_progressed(self)
    cpdef read_body(self, Message message, body)
    cpdef begin(self, began_ns, start, Headers headers, size)
    cpdef complete(self, Message message)
    cpdef Py_ssize_t _take_body(self, body, buffer, Py_ssize_t position) except -1
    cdef Py_ssize_t _skip_all(self, Py_ssize_t position, Py_ssize_t end) except -1
    @cython.locals(end=Py_ssize_t, empty_line=Py_ssize_t)
    cpdef Py_ssize_t _take_whole_head(self, buffer, Py_ssize_t position) except -1
    @cython.locals(size=Py_ssize_t, end=Py_ssize_t)
    cpdef Py_ssize_t _take_head(self, buffer, Py_ssize_t position) except -1
