import cython

from scopetrace.model.flow cimport Flow
from scopetrace.model.image cimport Image
from scopetrace.protocols.http.headers cimport Headers
from scopetrace.protocols.http.messages cimport Request, Response
from scopetrace.source cimport Outlet
from scopetrace.sources.http.fields cimport note_request, note_wanted, request_data, response_data
from scopetrace.watch.rules cimport Rules


cdef class HttpEmitter:
    cdef public object messages
    cdef public Outlet _outlet
    cdef public object _patterns, _tid, _time_ns, _response_form
    cdef public Flow _flow
    cdef public str _duration
    cdef public bint _is_grpc
    cdef public Image _image

    cpdef set_moment(self, Image image, tid, time_ns)
    cpdef request_began(self, Request request, Headers headers)
    cpdef response_began(self, Response response, Headers headers)
    @cython.locals(rules=Rules)
    cpdef request(self, Request request)
    @cython.locals(request=Request, rules=Rules)
    cpdef response(self, Response response)
    cdef _emit(self, began_ns, str name, data)
    cdef _measure_response(self, Response response, duration_us)
    @cython.locals(rules=Rules)
    cdef _measure(self, str name, value, tuple tags)


cdef _target(Request request)
