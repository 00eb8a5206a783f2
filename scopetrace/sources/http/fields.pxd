import cython

from scopetrace.protocols.http.headers cimport Headers
from scopetrace.protocols.http.messages cimport Request, Response


@cython.locals(fields=dict)
cpdef dict repeated_fields(Request request, Headers headers)
@cython.locals(fields=dict)
cpdef dict request_fields(Request request, Headers headers, dict repeated, patterns)
@cython.locals(fields=dict, request=Request)
cpdef dict response_fields(Response response, Headers headers, patterns)
cdef _add_wanted(dict fields, Headers headers, patterns)
