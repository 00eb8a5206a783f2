import cython

from scopetrace.model.image cimport Image
from scopetrace.model.open_file cimport OpenFile, Usage


cdef class TextChannel:
    cdef public Image image
    cdef public OpenFile file
    cdef public object target, key, in_binary, missing, unreadable, utf16, joined
    cdef public object tid, first_ns, last_ns
    cdef public bytearray pending


cdef class TextChannels:
    cdef dict __dict__
    cdef public object _outlet, _sources, _mute
    cdef public dict _channels, _waiting

    @cython.locals(image=Image, file=OpenFile, channel=TextChannel)
    cpdef _written(self, operation)
    @cython.locals(image=Image, file=OpenFile, usage=Usage, channel=TextChannel, channels=dict)
    cpdef _closed(self, operation)
    cdef _write(self, TextChannel channel, time_ns, tid, bytes data, missing)
    cdef _emit_text(self, TextChannel channel, time_ns, tid, bytes data, missing=*)
