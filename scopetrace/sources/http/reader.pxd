from scopetrace.model.flow cimport Flow
from scopetrace.model.image cimport Image
from scopetrace.sources.http.emitter cimport HttpEmitter


cdef class HttpReader:
    cdef public bint done
    cdef public object _outlet, _patterns, _most_bytes, _unstarted, _parser, _last_pid, _reported
    cdef public Flow _flow
    cdef public bint _is_client
    cdef public HttpEmitter _emitter

    cpdef feed(self, Image image, tid, time_ns, bint outgoing, bytes data)
    cdef _take(self, tuple moment, bint outgoing, step)
    cdef _parse(self, parser, tuple moment, bint outgoing, step)
