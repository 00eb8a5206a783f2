import cython

from scopetrace.model.image cimport Image
from named cimport build


cdef class Series:
    cdef public object plan, gauge
    cdef public Py_ssize_t only
    cdef public tuple places
    cdef public dict cells, held, totals, most, emitted


cdef class Account:
    cdef public dict plans, series, own
    cdef public object cells


cdef class Meter:
    cdef dict __dict__
    cdef public object period_ended_ns
    cdef public object _period_ns, _ensure_process, _due_ns
    cdef public dict _accounts
    cdef public Image _measured
    cdef public Account _account
    cdef public list _ready

    @cython.locals(account=Account, series=Series, cells=dict, cell=list, place=Py_ssize_t)
    cpdef measure_with(self, Image image, time_ns, str name, value, numops, tuple tags)
    cdef Account _find(self, Image image)
    @cython.locals(account=Account, series=Series)
    cpdef end(self, Image image, time_ns, replaced=*)
    @cython.locals(account=Account, series=Series, cells=dict, tags=dict)
    cdef _flush(self, Image image, time_ns, bint going_on)
    @cython.locals(series=Series, kept=Account, lasting=dict)
    cdef _keep(self, Image image, Account account)
    @cython.locals(kept=dict)
    cdef _add_sample(
        self, Image image, time_ns, plan, value, numops, dict tags, bint even_0=*
    )


cdef dict _named(tuple kept, key)
cdef dict _take_lasting(Series series, bint going_on)
