import cython

from named cimport values
from scopetrace.model.image cimport Image
from scopetrace.model.open_file cimport OpenFile, Usage
from scopetrace.source cimport Outlet, Source, TextTarget
from scopetrace.streams.encoding cimport is_binary


cdef class TextChannel:
    cdef public Image image
    cdef public OpenFile file
    cdef public TextTarget target
    cdef public bint in_binary
    cdef public object key, missing, unreadable, utf16, joined
    cdef public object tid, first_ns, last_ns
    cdef public bytearray pending


cdef class TextChannels:
    cdef dict __dict__
    cdef public Outlet _outlet
    cdef public object _sources, _mute
    cdef public dict _channels, _waiting

    @cython.locals(image=Image, file=OpenFile, channel=TextChannel, channels=dict)
    cpdef _written(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage, channel=TextChannel, channels=dict)
    cpdef _closed(self, operation)
    cdef _end_channel(self, TextChannel channel, time_ns)
    cdef _flush_channel(self, TextChannel channel, missing=*)
    cdef _write(self, TextChannel channel, time_ns, tid, bytes data, missing)
    @cython.locals(source=Source)
    cdef TextTarget _target(self, Image image, OpenFile file)
    @cython.locals(outlet=Outlet)
    cdef _emit_text(self, TextChannel channel, time_ns, tid, bytes data, missing=*)


cdef bint _is_binary(TextChannel channel, bytes data) except -1
cdef object _key(OpenFile file)
cdef list _piece_data(str message, missing)
