import cython


cdef class Rules:
    cdef dict __dict__
    cdef public object config, environment, flow_memory, flow_snaplen, http_headers, protocols
    cdef public object tags, verbosity, enhancefs, most_per_second, payloads
    cdef public object may_keep
    cdef public frozenset measures
    cdef public set choosy
    cdef public dict _rules, _wanted, _contents

    @cython.locals(wanted=dict)
    cpdef bint wants(self, str sourcetype, str source)
