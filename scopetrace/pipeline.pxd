import cython

from scopetrace.decode.decoder cimport Decoder
from scopetrace.model.image cimport Image
from scopetrace.model.raw cimport Batch, RawRecord, record_at
from scopetrace.watch.rules cimport Rules


cdef class Pipeline:
    cdef dict __dict__
    cdef public object sync_requested, counts, main, main_end, record_ns
    cdef public object measure, measure_with, measure_own
    cdef public object _watch, _host, _offset_ns, _writer
    cdef public list _rows, _payloads, _given_up, _calls, _inherited
    cdef public object _show_call
    cdef public object _payload_room, _payloads_cut
    cdef public set _unwritten
    cdef public dict _rates, _handlers
    cdef public object _metrics, _text, _flows
    cdef public Decoder _decoder

    @cython.locals(records=Batch, record=RawRecord, at=Py_ssize_t)
    cpdef feed(self, bytes batch)
    @cython.locals(rules=Rules)
    cpdef emit(self, Image image, time_ns, tid, str sourcetype, str source, channel, dict data)
    cpdef _dispatch(self, operation)
    @cython.locals(image=Image)
    cpdef _on_called(self, operation)
