from libc.stddef cimport size_t


cdef extern from "record/ring.h" nogil:
    struct ring:
        pass

    bint ring_has_more(ring *ring)
    bint ring_ended(ring *ring)
    size_t ring_wait(ring *ring, size_t enough, size_t most, int timeout_ms)
    void ring_read(ring *ring, void *buffer, size_t size)
