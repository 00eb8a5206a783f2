#include "call/async.h"

#include <stdlib.h>
#include <string.h>

#include "call/arguments.h"
#include "call/call.h"
#include "call/messages.h"
#include "call/payload.h"
#include "call/records.h"
#include "call/socket_final_state.h"
#include "call/tally.h"
#include "call/transfer.h"

enum {
    KEPT_MAX = 16 << 20, /* bytes of copied data that wait for results; of more no data is copied */
    COUNT_MAX = 1 << 16, /* operations under way */
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

struct async *async_of(struct caller *caller)
{
    if (!caller->space || caller->space->async)
        return caller->space ? caller->space->async : NULL;
    struct async *async = calloc(1, sizeof *async);
    if (async)
        async->end = &async->first;
    return caller->space->async = async;
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
    urings_free(async);
    free(async);
}

static void copy_sent(struct context *context, struct caller *caller, const struct async *async,
                      struct pending *call, bool wanted)
{
    bool has_room = async->kept < KEPT_MAX;

    copy_at_entry(context, caller, call, wanted && has_room);
    if (wanted && !has_room && !CALLS[call->row].message)
        parts_add(&call->parts, PART_DATA, PART_CUT, NULL, 0);
}

static void begin_transfer(struct context *context, struct caller *caller, struct async *async,
                           struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct fd_entry *entry = use_fd(context, caller, (int)argument(call, row->fd));

    call->fd_serial = entry ? entry->serial : 0;
    if (entry && context->flows && fd_kind_of(caller, entry) != FD_PLAIN)
        call->copy_limit = context->options->flow_snaplen;
    read_name_room(caller, call);
    if (row->transfer == TRANSFER_OUT)
        copy_sent(context, caller, async, call, !(entry && entry->muted));
}

static void begin_other(struct context *context, struct caller *caller, struct pending *call)
{
    write_final_states_before(context, caller, call);
    copy_at_entry(context, caller, call, false);
}

struct operation *async_begin(struct context *context, struct caller *caller,
                              const struct pending *call, uint64_t ring, uint64_t tag, uint32_t nth)
{
    struct async *async = caller->space->async;
    struct operation *new = async->count < COUNT_MAX ? calloc(1, sizeof *new) : NULL;

    if (!new) {
        context->counts.lost++;
        return NULL;
    }
    *new = (struct operation){
        .ring = ring, .tag = tag, .submitter = caller->tid, .nth = nth, .call = *call
    };
    memset(&new->call.parts, 0, sizeof new->call.parts);
    if (CALLS[call->row].transfer != TRANSFER_NONE)
        begin_transfer(context, caller, async, &new->call);
    else
        begin_other(context, caller, &new->call);
    new->kept = new->call.parts.used;
    async->kept += new->kept;
    async->count++;
    *async->end = new;
    async->end = &new->next;
    return new;
}

#define NO_FD UINT64_MAX

static void finish(struct context *context, struct caller *caller, struct pending *call,
                   int64_t result)
{
    const struct call *row = &CALLS[call->row];

    if (row->transfer == TRANSFER_NONE) {
        if (call->row != ROW_io_uring_enter__close)
            call_returned(context, caller, call, result);
        else if (result == 0)
            close_fd(context, caller, call);
        return;
    }
    const struct fd_entry *entry = fd_table_find(caller->fds, (int)argument(call, row->fd));
    if (row->transfer == TRANSFER_IN)
        call->entered_ns = monotonic_ns(); /* the bytes of a read are there when its result is */
    if (row->transfer == TRANSFER_OUT && result > 0 &&
        !(entry && entry->serial == call->fd_serial)) {
        call->args[row->fd - 1] =
            NO_FD; /* the fd was closed meanwhile, and its last tally is written */
        write_call(context, caller, call, result, 0, (uint64_t)result);
        return;
    }
    finish_transfer(context, caller, call, result, 0);
}

void async_submitted(struct context *context, struct caller *caller, int64_t taken)
{
    struct async *async = caller->space->async;

    for (struct operation **link = &async->first; *link;) {
        struct operation *each = *link;
        if (each->submitter != caller->tid) {
            link = &each->next;
            continue;
        }
        each->submitter = 0;
        if (taken < 0 && each->nth == 0)
            finish(context, caller, &each->call,
                   taken); /* the first operation was refused, with this error */
        if ((int64_t)each->nth < taken)
            link = &each->next;
        else
            drop_operation(async, link);
    }
}

struct operation *async_find(const struct caller *caller, uint64_t ring, uint64_t tag)
{
    struct operation *each = caller->space->async->first;

    while (each && (each->ring != ring || each->tag != tag))
        each = each->next;
    return each;
}

void async_end(struct context *context, struct caller *caller, struct operation *operation,
               int64_t result, bool more)
{
    struct operation **link = &caller->space->async->first;
    struct pending call = operation->call;

    if (!more) {
        finish(context, caller, &operation->call, result);
        while (*link != operation)
            link = &(*link)->next;
        drop_operation(caller->space->async, link);
        return;
    }
    memset(&call.parts, 0, sizeof call.parts);
    call.entered_ns = monotonic_ns();
    finish(context, caller, &call, result);
    parts_deinit(&call.parts);
}

void async_abandon(struct context *context, struct caller *caller, uint64_t ring)
{
    struct async *async = caller->space->async;

    for (struct operation **link = &async->first; *link;) {
        if (ring && (*link)->ring != ring) {
            link = &(*link)->next;
            continue;
        }
        if (CALLS[(*link)->call.row].transfer == TRANSFER_OUT)
            write_call(context, caller, &(*link)->call, RAW_RESULT_UNKNOWN, 0, 0);
        drop_operation(async, link);
    }
}

void async_collect(struct context *context, struct caller *caller)
{
    if (!caller->space->async->first)
        return;
    aio_collect(context, caller);
    uring_collect(context, caller);
}

void async_leave(struct context *context, struct caller *caller)
{
    if (!caller->space || !caller->space->async || !caller->fds)
        return;
    if (caller->space->uses == 1)
        async_abandon(context, caller, 0);
}
