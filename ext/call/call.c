#include "call/call.h"

#include <signal.h>

#include "call/arguments.h"
#include "call/async.h"
#include "call/effects.h"
#include "call/fd_names.h"
#include "call/messages.h"
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/socket_final_state.h"
#include "call/tally.h"
#include "call/transfer.h"

void call_reset(const struct context *context, struct pending *call, int row)
{
    call->row = (uint16_t)row;
    call->entered_ns = monotonic_ns();
    call->fd_serial = call->first_fd_serial = call->sending_to = 0;
    call->copy_limit = context->options->snaplen;
    call->early = false;
    parts_reset(&call->parts);
}

/* -- entry ------------------------------------------------------------------------------------ */

void record_close(struct context *context, struct caller *caller, struct pending *call)
{
    int fd = (int)call->args[0];
    struct fd_entry *entry = fd_table_find(caller->fds, fd);

    if (entry) {
        call->fd_serial = entry->serial;
        if (fd_entry_was_used(entry))
            add_tally(&call->parts, entry);
        fd_table_remove(caller->fds, &context->fd_pool, fd);
    }
    write_call(context, caller, call, RAW_RESULT_UNKNOWN, 0, 0);
}

void close_fd(struct context *context, struct caller *caller, struct pending *call)
{
    struct fd_entry *entry = fd_table_find(caller->fds, (int)call->args[0]);

    if (entry) {
        refresh_name(context, caller, entry, call->entered_ns);
        add_final_state(context, &call->parts, caller, entry);
    }
    record_close(context, caller, call);
}

void record_ended(struct context *context, struct caller *caller, struct pending *call,
                  int64_t result, uint64_t elapsed_ns)
{
    detect_fuse(context, &call->parts);
    apply_call(context, caller, call, result);
    write_call(context, caller, call, result, elapsed_ns, 0);
}

bool closes_range(const struct pending *call)
{
    return call->row == ROW_close_range && !(uint32_t)call->args[2] &&
           (uint32_t)call->args[0] <= (uint32_t)call->args[1];
}

static void close_fds(struct context *context, struct caller *caller, struct pending *call)
{
    write_final_states_before(context, caller, call);
    record_ended(context, caller, call, 0, 0);
}

void call_entered_only(struct context *context, struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    if (call->row == ROW_io_destroy)
        aio_destroy(context, caller, call);
    else if (call->row == ROW_close_range)
        close_fds(context, caller, call);
    else if (row->group == GROUP_CLOSE)
        close_fd(context, caller, call);
    else if (use_fd(context, caller, (int)call->args[row->fd - 1]))
        write_call(context, caller, call, RAW_RESULT_UNKNOWN, 0, 0);
}

static void begin_transfer(struct context *context, struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct fd_entry *entry = use_fd(context, caller, (int)call->args[row->fd - 1]);

    struct fd_entry *to = row->fd2 ? use_fd(context, caller, (int)call->args[row->fd2 - 1]) : entry;
    if (to && row->transfer != TRANSFER_IN)
        refresh_name(context, caller, to, call->entered_ns);
    call->fd_serial = entry ? entry->serial : 0;
    call->first_fd_serial = entry ? entry->first_serial : 0;
    if (entry && context->flows && fd_kind_of(caller, entry) != FD_PLAIN)
        call->copy_limit = context->options->flow_snaplen;
    if (to && row->transfer != TRANSFER_IN) {
        to->sending++;
        call->sending_to = to->serial;
    }
    read_address_room(caller, call);
    read_name_room(caller, call);
    if (row->transfer == TRANSFER_OUT)
        copy_at_entry(context, caller, call, !(entry && entry->muted));
}

void call_entered(struct context *context, struct caller *caller, struct pending *call)
{
    write_final_states_before(context, caller, call);
    if (call->row == ROW_io_submit)
        aio_submit(context, caller, call);
    else if (call->row == ROW_io_uring_enter)
        uring_enter(context, caller, call);
    else if (CALLS[call->row].transfer != TRANSFER_NONE)
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
    struct fd_entry *entry =
        call->sending_to ? fd_pool_find(&context->fd_pool, call->sending_to) : NULL;

    if (entry)
        entry->sending--;
    call->sending_to = 0;
}

/* The end of a call on asynchronous operations, or an mmap of a ring; false if the call is none of them. */
static bool finish_async_call(struct context *context, struct caller *caller,
                              const struct pending *call, int64_t result)
{
    bool maps = call->row == ROW_mmap__ring || call->row == ROW_mmap2__ring;

    if (call->row == ROW_io_uring_register) {
        uring_registered(context, caller, call, result);
        return true;
    }
    if (!maps && call->row != ROW_io_submit && call->row != ROW_io_uring_enter)
        return false;
    if (!caller->space || !caller->space->async)
        return true;
    if (maps && result >= 0)
        uring_mapped(caller, call, (uint64_t)result);
    if (!maps)
        async_submitted(context, caller, result);
    async_collect(context, caller); /* most operations are done when the call returns */
    return true;
}

/* Whether a call sends SIGKILL, whose delivery no tracer sees. */
static bool sends_kill(const struct pending *call)
{
    int position = CALLS[call->row].signal;

    return position && (int)call->args[position - 1] == SIGKILL;
}

/* Whether a call changes the process group of a process: SIGKILL may be sent to a group. */
static bool changes_group(const struct pending *call)
{
    return call->row == ROW_setpgid || call->row == ROW_setsid;
}

/* Whether a call that returned `result` has a record. */
static bool is_recorded(const struct context *context, const struct pending *call, int64_t result)
{
    if (asks_to_retry(&CALLS[call->row], result))
        return false;
    return result < 0 || context->options->modes[call->row] == MODE_ALL || sends_kill(call) ||
           changes_group(call);
}

void call_ended(struct context *context, struct caller *caller, struct pending *call,
                int64_t result, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    bool wanted = is_recorded(context, call, result);

    if (row->counted)
        caller->counted[row->counted - 1]++;
    if (finish_async_call(context, caller, call, result))
        return;
    if (row->transfer != TRANSFER_NONE) {
        end_sending(context, call);
        finish_transfer(context, caller, call, result, elapsed_ns);
        return;
    }
    if (wanted)
        copy_at_exit(context, caller, call, result);
    if (wanted && call->row == ROW_pidfd_send_signal)
        call->args[4] = (uint64_t)proc_pidfd(caller->tid, (int)call->args[0]);
    apply_call(context, caller, call, result);
    if (row->group == GROUP_GUARD && call->row != ROW_io_uring_setup && result >= 0)
        return; /* there is a RAW_NOTE of it */
    if (wanted)
        write_call(context, caller, call, result, elapsed_ns, 0);
}

void call_returned(struct context *context, struct caller *caller, struct pending *call,
                   int64_t result)
{
    call_ended(context, caller, call, result, monotonic_ns() - call->entered_ns);
}

void call_withdrawn(struct context *context, struct caller *caller, struct pending *call)
{
    finish_async_call(context, caller, call, 0); /* none of its operations was begun */
    end_sending(context, call);
}

/*
 * Of a write it is not known whether its bytes are out, nor of SIGKILL whether it was sent, as it is if
 * a process sends it to itself; the record says so.
 */
void call_unfinished(struct context *context, struct caller *caller, struct pending *call,
                     bool performed)
{
    bool writes = CALLS[call->row].transfer == TRANSFER_OUT && call->parts.used;

    if (performed && (writes || sends_kill(call)))
        write_call(context, caller, call, RAW_RESULT_UNKNOWN, 0, 0);
    end_sending(context, call);
}
