# The rest of the module is Python's: only rows are made of every record.

cdef list _event_rows(events, encode)
cdef list _metric_rows(samples, encode)
cdef list _process_rows(processes, encode)
