from libc.stddef cimport size_t
from libc.stdint cimport uint32_t, uint64_t

from call.context cimport call_options
from record.ring cimport ring
from table.copy_plan cimport copy_plan

cdef extern from "<stdbool.h>" nogil:
    ctypedef bint c_bool "bool"

cdef extern from "<sys/types.h>" nogil:
    ctypedef int pid_t


cdef extern from "ptrace/engine.h" nogil:
    struct engine_options:
        call_options calls
        uint32_t args_limit
        uint32_t env_limit
        c_bool environment
        bint gate_verify
        uint32_t gate_at
        c_bool leaves
        copy_plan *plan
        size_t ring_size

    enum engine_stop_ "engine_stop":
        STOP_RECORDING
        STOP_TRACING

    struct engine:
        pass

    int engine_create(const engine_options *options, engine **engine_out)
    void engine_destroy(engine *engine)
    ring *engine_ring(engine *engine)
    int engine_run(engine *engine, pid_t pid, pid_t tid, int go_fd)
    void engine_mute(engine *engine, uint64_t serial)
    void engine_acknowledge(engine *engine)
    void engine_flush_tallies(engine *engine)
    void engine_stop(engine *engine, engine_stop_ stop)
    void engine_abandon(engine *engine)
