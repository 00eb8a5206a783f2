import cython

from scopetrace.decode.decoder cimport Decoder
from scopetrace.metrics.meter cimport Meter
from scopetrace.model.image cimport Image
from named cimport build, values
from scopetrace.model.raw cimport Batch, RawRecord, record_at
from scopetrace.streams.flows cimport FlowOutlet
from scopetrace.watch.rules cimport Rules


cdef class Pipeline(FlowOutlet):
    cdef public object sync_requested, counts, main, main_end, record_ns
    cdef public Meter _meter
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
    cpdef emit(self, Image image, time_ns, tid, str sourcetype, str source, channel, data)
    cpdef measure_with(self, Image image, time_ns, str name, value, numops, tuple tags)
    cpdef _dispatch(self, operation)
    @cython.locals(image=Image)
    cpdef _on_image_started(self, operation)
    cpdef _write_process(self, Image image)
    @cython.locals(image=Image)
    cpdef _on_called(self, operation)
