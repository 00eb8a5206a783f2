/*
 * Asynchronous operations: io_submit(2) and io_uring(7).
 *
 * One call begins operations, the kernel performs them while the program runs, and puts their results into
 * memory that it shares with the program. Each operation has a row of syscalls.def (io_submit__read…)
 * and is recorded as a call of that row when its result is found. What can happen to an operation:
 *
 *  1. It is submitted: its arguments and, of a write, its data are copied (async_begin).
 *  2. The call that submits it returns, and the kernel took it (async_submitted).
 *  3. The call returns, and the kernel did not take it: it is dropped; the first one that was refused
 *     is recorded with the error of the call.
 *  4. Its result is found in the ring: it is recorded (async_end). Rings are read at each watched call of
 *     the program (async_collect).
 *  5. The ring is destroyed, or the program ends: a write is recorded with RAW_RESULT_UNKNOWN, anything
 *     else has no record (async_abandon).
 */
#ifndef SCOPE_CALL_ASYNC_H
#define SCOPE_CALL_ASYNC_H

#include <stdbool.h>
#include <stdint.h>

#include "call/context.h"

/* An operation whose result is not known. */
struct operation {
    struct operation *next;
    uint64_t ring, tag; /* the ring where its result will be, and the tag that it has there */
    pid_t submitter;    /* the thread inside the call that submits it; 0: the call has returned */
    uint32_t nth;       /* its place among those that this call submits */
    size_t kept;        /* bytes of its parts */
    uint16_t buffer_group; /* from which the kernel chooses its buffer, if `chooses_buffer` */
    bool chooses_buffer;
    struct pending call;
};

/* A ring of results of native AIO: aio_setup_ring in the kernel's fs/aio.c. */
struct aio_ring {
    struct aio_ring *next;
    uint64_t address;    /* the context that io_setup(2) returned is this address */
    uint32_t next_place; /* place of the first result that has not been read */
};

enum { URING_ALIASES = 64 };

/* An io_uring that a thread names by an index instead of its fd. */
struct uring_alias {
    pid_t tid;
    uint32_t index;
    int fd;
};

/* The operations under way in one address space, in the order in which they were submitted. */
struct async {
    struct operation *first, **end; /* `end`: where the next one is to be linked */
    struct aio_ring *rings;
    struct uring *urings; /* uring.h */
    struct uring_alias aliases[URING_ALIASES];
    uint32_t next_alias;
    bool note_written; /* there is a NOTE_IO_URING of it */
    uint32_t count;    /* of operations */
    size_t kept;       /* by all of them */
};

/* That of a caller's address space, made if there is none; NULL without memory. */
struct async *async_of(struct caller *caller);
void async_free(struct async *async);

/* async.c */

/*
 * An operation is submitted: `call` has its row, its arguments and its time. Returns it, or NULL: there are too many, and
 * it is counted as lost.
 */
struct operation *async_begin(struct context *context, struct caller *caller,
                              const struct pending *call, uint64_t ring, uint64_t tag,
                              uint32_t nth);

/* The call that submitted operations has returned: the kernel took the first `taken`, or an error. */
void async_submitted(struct context *context, struct caller *caller, int64_t taken);

/* The operation under way whose result will have this tag, or NULL. */
struct operation *async_find(const struct caller *caller, uint64_t ring, uint64_t tag);

/* A result of an operation was found; `more`: others will follow. */
void async_end(struct context *context, struct caller *caller, struct operation *operation,
               int64_t result, bool more);

/* No more results will be found in this ring (0: in any ring of the address space). */
void async_abandon(struct context *context, struct caller *caller, uint64_t ring);

/* End the operations whose results are there. */
void async_collect(struct context *context, struct caller *caller);

/* A thread leaves its address space, by its end or an exec: after the last one no result will be found. */
void async_leave(struct context *context, struct caller *caller);

/* uring.c */

void urings_free(struct async *async);
void uring_made(struct context *context, struct caller *caller, const struct pending *call, int fd);

/* An mmap of its fd has returned. */
void uring_mapped(struct caller *caller, const struct pending *call, uint64_t address);
bool is_uring(const struct caller *caller, int fd);
void uring_enter(struct context *context, struct caller *caller, const struct pending *call);
void uring_collect(struct context *context, struct caller *caller);

/* uring_tables.c: io_uring_register(2) has returned. */
void uring_registered(struct context *context, struct caller *caller, const struct pending *call,
                      int64_t result);

/* aio.c */
void aio_submit(struct context *context, struct caller *caller, const struct pending *call);
void aio_destroy(struct context *context, struct caller *caller, const struct pending *call);
void aio_collect(struct context *context, struct caller *caller);

#endif
