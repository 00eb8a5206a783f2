import cython

from scopetrace.metrics.verbosity cimport Plan, plans
from scopetrace.model.image cimport Image
from named cimport build, values


@cython.final
@cython.freelist(64)
cdef class Cell:
    cdef public object value, numops


@cython.final
cdef class Lasting:
    cdef public dict held, totals, most, emitted


@cython.final
cdef class Series:
    cdef public Plan plan
    cdef public Py_ssize_t only
    cdef public dict cells
    cdef public Lasting lasting


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

    @cython.locals(account=Account, series=Series, cells=dict, cell=Cell, place=Py_ssize_t)
    cpdef measure_with(self, Image image, time_ns, str name, value, numops, tuple tags)
    cpdef sample(self, Image image, time_ns, str name, value)
    cdef Account _find(self, Image image)
    cdef Series _begin(self, Account account, str name)
    cdef _count(self, Image image, Account account, time_ns)
    cdef _hold(
        self, Image image, Account account, Plan plan, Lasting lasting, time_ns, value, tuple tags
    )
    @cython.locals(account=Account)
    cpdef end(self, Image image, time_ns, replaced=*)
    @cython.locals(account=Account, series=Series, cell=Cell, tags=dict)
    cdef _flush(self, Image image, time_ns, bint going_on)
    @cython.locals(series=Series, kept=Account)
    cdef _keep(self, Image image, Account account)
    cdef _add_sample(
        self, Image image, time_ns, Plan plan, value, numops, dict tags, bint even_0=*
    )


@cython.locals(at=Py_ssize_t, named=tuple)
cdef dict _named(tuple kept, key)
@cython.locals(lasting=Lasting)
cdef dict _take_lasting(Lasting lasting, bint going_on)
cdef _storable(value)
