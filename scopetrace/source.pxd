cdef class TextTarget:
    cdef public object sourcetype, source, content


cdef class Source:
    cdef dict __dict__
    cdef public object outlet
