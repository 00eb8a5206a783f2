import cython

from scopetrace.model.flow cimport Flow
from scopetrace.model.flow_fields cimport flow_fields
from scopetrace.protocols.http.headers cimport Headers
from scopetrace.protocols.http.messages cimport Request, Response


cdef object REQUEST


cpdef tuple note_request(Headers headers, patterns)
cpdef note_wanted(Headers headers, patterns)
@cython.locals(ends=dict, noted=tuple)
cpdef tuple request_data(Request request, Flow flow)
@cython.locals(ends=dict, request=Request, after_loss=cython.bint, truncated=cython.bint)
cpdef tuple response_data(Response response, Flow flow, shape, duration_us)
cdef _beside(dict ends, wanted)
