/*
 * Reads and writes that the kernel does while the program goes on: begun by one call, their results
 * found later in memory that kernel and program share. What an operation is when it ends is a call
 * like any other (struct pending), whose row says how its bytes move.
 */
#ifndef SCOPE_CALL_ASYNC_H
#define SCOPE_CALL_ASYNC_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>

#include "call/context.h"

struct context;

/* One that was asked for and whose result is not known. */
struct operation {
    struct operation *next;
    uint64_t ring, tag; /* where its result will be, and what it is called there */
    pid_t asker;        /* the thread inside the call that asks for it; 0: the call has returned */
    uint32_t nth;       /* of those that this call asks for */
    size_t kept;        /* bytes of data that wait with it */
    struct pending call;
};

/* A ring of results of native AIO: aio_setup_ring in fs/aio.c. */
struct aio_ring {
    struct aio_ring *next;
    uint64_t address; /* which is what io_setup(2) answered with */
    uint32_t seen;    /* the results before this place were taken */
};

/* An instance of io_uring, and where it lies in the program's memory; 0: not known. */
struct uring {
    struct uring *next;
    int fd;
    struct io_uring_params made; /* as io_uring_setup(2) answered */
    uint64_t rings, results, sqes;
    uint32_t seen; /* results taken, of all that ever came */
};

/* What is under way in one address space, in the order in which it was asked for. */
struct async {
    struct operation *first, **end; /* `end`: where the next one is to be linked */
    struct aio_ring *rings;
    struct uring *urings;
    bool noted;     /* that io_uring is used in a way which is not seen was said */
    uint32_t count; /* of operations */
    size_t kept;    /* by all of them */
};

/* That of a task's address space, made if there is none; NULL without memory. */
struct async *async_of(struct caller *caller);
void async_free(struct async *async);

/* async.c */
/* An operation of `task` that is like `call`: the row, its arguments, its time. */
void async_begin(struct context *context, struct caller *caller, const struct pending *call,
                 uint64_t ring, uint64_t tag, uint32_t nth);
/* The call that asked for operations has returned: it took the first `taken` of them. */
void async_taken(struct context *context, struct caller *caller, int64_t taken);
/* A result was found. */
void async_end(struct context *context, struct caller *caller, uint64_t ring, uint64_t tag,
               int64_t result);
/* No more results will be seen of this ring (0: of any): nobody knows what became of the rest. */
void async_abandon(struct context *context, struct caller *caller, uint64_t ring);
/* Take the results that are there. */
void async_look(struct context *context, struct caller *caller);
/* A task leaves its address space, by its end or an exec; after the last one nothing more is seen. */
void async_leave(struct context *context, struct caller *caller);

/* uring.c */
/* Say, once, that something is done through io_uring that is not seen. */
void note_uring(struct context *context, struct caller *caller);
void uring_made(struct context *context, struct caller *caller, const struct pending *call, int fd);
/* An mmap of its fd has returned. */
void uring_mapped(struct caller *caller, const struct pending *call, uint64_t address);
bool is_uring(const struct caller *caller, int fd);
void uring_enter(struct context *context, struct caller *caller, const struct pending *call);
void uring_look(struct context *context, struct caller *caller);

/* aio.c */
void aio_submit(struct context *context, struct caller *caller, const struct pending *call);
void aio_destroy(struct context *context, struct caller *caller, const struct pending *call);
void aio_look(struct context *context, struct caller *caller);

#endif
