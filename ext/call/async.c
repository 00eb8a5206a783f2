#include "call/async.h"

#include <stdlib.h>
#include <string.h>

#include "ptrace/state.h"

enum {
    KEPT_MAX = 16 << 20, /* data that waits for results; of more, only the size is told */
    COUNT_MAX = 1 << 16, /* operations */
};

static void drop_operation(struct async *async, struct operation **link)
{
    struct operation *gone = *link;

    async->kept -= gone->kept;
    async->count--;
    *link = gone->next;
    if (async->end == &gone->next)
        async->end = link;
    parts_deinit(&gone->call.parts);
    free(gone);
}

struct async *async_of(struct task *task)
{
    if (!task->space || task->space->async)
        return task->space ? task->space->async : NULL;
    struct async *async = calloc(1, sizeof *async);
    if (async)
        async->end = &async->first;
    return task->space->async = async;
}

void async_free(struct async *async)
{
    if (!async)
        return;
    while (async->first)
        drop_operation(async, &async->first);
    for (struct aio_ring *ring = async->rings, *next; ring; ring = next) {
        next = ring->next;
        free(ring);
    }
    for (struct uring *ring = async->urings, *next; ring; ring = next) {
        next = ring->next;
        free(ring);
    }
    free(async);
}

static void copy_data(struct engine *engine, const struct task *task, const struct async *async,
                      struct pending *call)
{
    if (CALLS[call->row].message)
        add_message(engine, task, call, argument(call, CALLS[call->row].message),
                    MESSAGE_NAME | (async->kept < KEPT_MAX ? MESSAGE_DATA : 0), UINT64_MAX);
    else if (async->kept < KEPT_MAX)
        add_data(engine, task, call, UINT64_MAX);
    else
        parts_add(&call->parts, PART_DATA, PART_CUT, NULL, 0);
}

static void begin_move(struct engine *engine, struct task *task, struct async *async,
                       struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream = use_stream(engine, task, (int)argument(call, row->fd));

    call->serial = stream ? stream->serial : 0;
    if (stream && engine->flows && stream_kind(task, stream) != STREAM_PLAIN)
        call->most = engine->options.flow_snaplen;
    if (row->moves == MOVES_OUT && !(stream && stream->counts_only))
        copy_data(engine, task, async, call);
}

void async_begin(struct engine *engine, struct task *task, const struct pending *call,
                 uint64_t ring, uint64_t tag, uint32_t nth)
{
    struct async *async = task->space->async;
    struct operation *new = async->count < COUNT_MAX ? calloc(1, sizeof *new) : NULL;

    if (!new) {
        engine->counts.lost++;
        return;
    }
    *new = (struct operation){
        .ring = ring, .tag = tag, .asker = task->tid, .nth = nth, .call = *call
    };
    memset(&new->call.parts, 0, sizeof new->call.parts);
    if (CALLS[call->row].moves != MOVES_NOTHING)
        begin_move(engine, task, async, &new->call);
    else
        copy_at_entry(engine, task, &new->call, false);
    new->kept = new->call.parts.used;
    async->kept += new->kept;
    async->count++;
    *async->end = new;
    async->end = &new->next;
}

#define NO_FD UINT64_MAX

static void finish(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    const struct call *row = &CALLS[call->row];

    if (row->moves == MOVES_NOTHING) {
        if (call->row != ROW_io_uring_enter__close)
            finish_call(engine, task, call, result);
        else if (result == 0)
            close_fd(engine, task, call);
        return;
    }
    const struct stream *stream = files_find(task->files, (int)argument(call, row->fd));
    if (row->moves == MOVES_IN)
        call->entered_ns = monotonic_ns(); /* bytes are there when the result is */
    if (row->moves == MOVES_OUT && result > 0 && !(stream && stream->serial == call->serial)) {
        call->args[row->fd - 1] = NO_FD; /* closed meanwhile, and told as closed already */
        write_call(engine, task, call, result, 0, (uint64_t)result);
        return;
    }
    finish_move(engine, task, call, result, 0);
}

void async_taken(struct engine *engine, struct task *task, int64_t taken)
{
    struct async *async = task->space->async;

    for (struct operation **link = &async->first; *link;) {
        struct operation *each = *link;
        if (each->asker != task->tid) {
            link = &each->next;
            continue;
        }
        each->asker = 0;
        if (taken < 0 && each->nth == 0)
            finish(engine, task, &each->call, taken); /* it is the first that was refused */
        if ((int64_t)each->nth < taken)
            link = &each->next;
        else
            drop_operation(async, link);
    }
}

void async_end(struct engine *engine, struct task *task, uint64_t ring, uint64_t tag,
               int64_t result)
{
    struct operation **link = &task->space->async->first;

    while (*link && ((*link)->ring != ring || (*link)->tag != tag))
        link = &(*link)->next;
    if (!*link)
        return;
    finish(engine, task, &(*link)->call, result);
    drop_operation(task->space->async, link);
}

void async_abandon(struct engine *engine, struct task *task, uint64_t ring)
{
    struct async *async = task->space->async;

    for (struct operation **link = &async->first; *link;) {
        if (ring && (*link)->ring != ring) {
            link = &(*link)->next;
            continue;
        }
        if (CALLS[(*link)->call.row].moves == MOVES_OUT)
            write_call(engine, task, &(*link)->call, RAW_RESULT_UNKNOWN, 0, 0);
        drop_operation(async, link);
    }
}

void async_look(struct engine *engine, struct task *task)
{
    if (!task->space->async->first)
        return;
    aio_look(engine, task);
    uring_look(engine, task);
}

void async_leave(struct engine *engine, struct task *task)
{
    if (!task->space || !task->space->async || !task->files)
        return;
    if (task->space->uses == 1)
        async_abandon(engine, task, 0);
}
