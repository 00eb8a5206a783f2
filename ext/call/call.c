#include "call/call.h"

#include "call/arguments.h"
#include "call/async.h"
#include "call/effects.h"
#include "call/fd_names.h"
#include "call/payload.h"
#include "call/records.h"
#include "call/socket_final_state.h"
#include "call/tally.h"
#include "call/transfer.h"

void call_begins(const struct context *context, struct pending *call, int row)
{
    call->row = (uint16_t)row;
    call->entered_ns = monotonic_ns();
    call->serial = call->first_serial = call->sends = 0;
    call->most = context->options->snaplen;
    parts_reset(&call->parts);
}

/* -- entry ------------------------------------------------------------------------------------ */

void close_fd(struct context *context, struct caller *caller, struct pending *call)
{
    int fd = (int)call->args[0];
    struct stream *stream = files_find(caller->files, fd);

    if (stream) {
        follow_name(context, caller, stream, call->entered_ns);
        call->serial = stream->serial;
        if (stream_moved(stream))
            add_tally(&call->parts, stream);
        add_last_word(context, &call->parts, caller, stream);
        files_remove(caller->files, &context->pool, fd);
    }
    write_call(context, caller, call, RAW_RESULT_UNKNOWN, 0, 0);
}

void call_made(struct context *context, struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    if (call->row == ROW_io_destroy)
        aio_destroy(context, caller, call);
    else if (row->group == GROUP_CLOSE)
        close_fd(context, caller, call);
    else if (use_stream(context, caller, (int)call->args[row->fd - 1]))
        write_call(context, caller, call, RAW_RESULT_UNKNOWN, 0, 0);
}

static void begin_transfer(struct context *context, struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream = use_stream(context, caller, (int)call->args[row->fd - 1]);

    struct stream *to =
        row->fd2 ? use_stream(context, caller, (int)call->args[row->fd2 - 1]) : stream;
    if (to && row->moves != MOVES_IN)
        follow_name(context, caller, to, call->entered_ns);
    call->serial = stream ? stream->serial : 0;
    call->first_serial = stream ? stream->first_serial : 0;
    if (stream && context->flows && stream_kind(caller, stream) != STREAM_PLAIN)
        call->most = context->options->flow_snaplen;
    if (to && row->moves != MOVES_IN) {
        to->sending++;
        call->sends = to->serial;
    }
    note_address_room(caller, call);
    if (row->moves == MOVES_OUT)
        copy_at_entry(context, caller, call, !(stream && stream->counts_only));
}

void call_entered(struct context *context, struct caller *caller, struct pending *call)
{
    tell_before_end(context, caller, call);
    if (call->row == ROW_io_submit)
        aio_submit(context, caller, call);
    else if (call->row == ROW_io_uring_enter)
        uring_enter(context, caller, call);
    else if (CALLS[call->row].moves != MOVES_NOTHING)
        begin_transfer(context, caller, call);
    else
        copy_at_entry(context, caller, call, false);
}

/* -- exit ------------------------------------------------------------------------------------- */

/* Whether the result asks to make the call again later: no failure of a call on a socket. */
static bool asks_to_retry(const struct call *row, int64_t result)
{
    if (is_connect(row - CALLS))
        return result == -EALREADY; /* EAGAIN: there is no free port, a failure (connect(2)) */
    if (row->group == GROUP_NET && (result == -EAGAIN || result == -EINTR))
        return true;
    return row->answer && result == -row->answer;
}

void end_sending(struct context *context, struct pending *call)
{
    struct stream *stream = call->sends ? pool_find(&context->pool, call->sends) : NULL;

    if (stream)
        stream->sending--;
    call->sends = 0;
}

/* The end of io_submit, io_uring_enter, or an mmap of a ring; false if the call is none of them. */
static bool finish_async_call(struct context *context, struct caller *caller,
                              const struct pending *call, int64_t result)
{
    bool maps = call->row == ROW_mmap__ring || call->row == ROW_mmap2__ring;

    if (!maps && call->row != ROW_io_submit && call->row != ROW_io_uring_enter)
        return false;
    if (!caller->space || !caller->space->async)
        return true;
    if (maps && result >= 0)
        uring_mapped(caller, call, (uint64_t)result);
    if (!maps)
        async_taken(context, caller, result);
    async_look(context, caller); /* most operations are done when the call returns */
    return true;
}

void call_returned(struct context *context, struct caller *caller, struct pending *call,
                   int64_t result)
{
    uint64_t elapsed_ns = monotonic_ns() - call->entered_ns;
    const struct call *row = &CALLS[call->row];
    bool wanted = !asks_to_retry(row, result) &&
                  (result < 0 || context->options->modes[call->row] == MODE_ALL);

    if (row->counted)
        caller->counted[row->counted - 1]++;
    if (finish_async_call(context, caller, call, result))
        return;
    if (row->moves != MOVES_NOTHING) {
        end_sending(context, call);
        finish_move(context, caller, call, result, elapsed_ns);
        return;
    }
    if (wanted)
        copy_at_exit(context, caller, call, result);
    apply_call(context, caller, call, result);
    if (row->group == GROUP_GUARD && call->row != ROW_io_uring_setup && result >= 0)
        return; /* there is a RAW_NOTE of it */
    if (wanted)
        write_call(context, caller, call, result, elapsed_ns, 0);
}

void call_withdrawn(struct context *context, struct caller *caller, struct pending *call)
{
    finish_async_call(context, caller, call, 0); /* none of its operations was begun */
    end_sending(context, call);
}

/* Whether the bytes of a write that has run are out is not known. */
void call_unfinished(struct context *context, struct caller *caller, struct pending *call, bool run)
{
    if (run && CALLS[call->row].moves == MOVES_OUT && call->parts.used)
        write_call(context, caller, call, RAW_RESULT_UNKNOWN, 0, 0);
    end_sending(context, call);
}
