import cython


cdef class Series:
    cdef public object plan, key, gauge
    cdef public dict cells, held, totals, most, emitted


cdef class Account:
    cdef public dict plans, series, own
    cdef public object cells


cdef class Meter:
    cdef dict __dict__
    cdef public object period_ended_ns
    cdef public object _period_ns, _ensure_process, _due_ns
    cdef public dict _accounts
    cdef public list _ready

    @cython.locals(account=Account, series=Series, cells=dict, cell=list)
    cdef _add(self, image, time_ns, str name, value, numops, dict tags)
