/*
 * The public interface of the engine: trace a process until it and all its descendants have ended,
 * and write records of what they did to a ring.
 *
 * The thread that calls engine_run becomes the tracer; all ptrace requests must come from it. Another
 * thread may call the other functions meanwhile.
 */
#ifndef SCOPE_PTRACE_ENGINE_H
#define SCOPE_PTRACE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "call/context.h"
#include "record/ring.h"
#include "table/copy_plan.h"

struct engine_options {
    struct call_options calls;
    uint32_t args_limit;    /* most bytes copied of a command line */
    uint32_t env_limit;     /* most bytes copied of an environment */
    bool environment;       /* copy the environment at exec */
    bool gate_verify;       /* some records of the gate are compared with those of traced calls */
    uint32_t gate_at;       /* at which call a program is given the gate (gated.c); 0: never */
    bool leaves;            /* write the state of each process before it ends (RAW_LEAVE) */
    struct copy_plan *plan; /* which calls are recorded whole, or NULL; the engine frees it */
    size_t ring_size; /* bytes; a power of two, at least 1 MiB, 4 × the larger snaplen, and 1 MiB
                         more than a command line and an environment */
};

enum engine_stop {
    STOP_RECORDING = 1, /* write the tallies of open fds and RAW_END; let calls through */
    STOP_TRACING = 2, /* the same, and return from engine_run: the program ends with this process */
};

struct engine;

/* Return 0 and set `*engine_out`, or -ENOMEM, or -EINVAL for a ring that is too small. */
int engine_create(const struct engine_options *options, struct engine **engine_out);
void engine_destroy(struct engine *engine);

struct ring *engine_ring(struct engine *engine);

/*
 * Seize `tid`, the only thread of process `pid` that is to exec, which waits for a byte on the pipe
 * `go_fd`; write that byte, and trace it until it and all its descendants have ended. Returns 0, or
 * a negative errno if it could not be seized (-EPERM: refused; see PTRACE_ATTACH in ptrace(2)); no
 * byte is written then. Until its exec begins, the process outlives the end of the caller; from
 * then on it ends with it (PTRACE_O_EXITKILL).
 */
int engine_run(struct engine *engine, pid_t pid, pid_t tid, int go_fd);

/* Copy no more bytes of the fd with this serial (raw_record.fd_serial). */
void engine_mute(struct engine *engine, uint64_t serial);

/* Everything up to the last RAW_SYNC is committed: the process whose end waits for that is reaped. */
void engine_acknowledge(struct engine *engine);

/* Ask for a RAW_TALLY (args[1] is 1) of each fd that was used since the last flush. Asynchronous. */
void engine_flush_tallies(struct engine *engine);

/* A request just before the tracer begins to wait may be lost: repeat it until the ring has ended. */
void engine_stop(struct engine *engine, enum engine_stop stop);

/* Write no more records, not even RAW_END, whether or not the ring is read; let calls through. */
void engine_abandon(struct engine *engine);

#endif
