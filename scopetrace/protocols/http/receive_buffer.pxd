cdef class ReceiveBuffer:
    cdef public bytearray _kept
    cdef public object _since_ns, now_ns
    cdef public Py_ssize_t old

    cpdef joined(self, time_ns, bytes data)
    cpdef time_of(self, Py_ssize_t position)
    cpdef keep(self, buffer, Py_ssize_t position)
    cpdef bytes take(self)
