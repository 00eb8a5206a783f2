from scopetrace.streams.cpu_budget cimport CpuBudget


cdef class Reading:
    cdef public CpuBudget cpu_budget
    cdef public bint keeping
    cdef public object unrecognised, preamble, early, muted, items
    cdef public list readers
