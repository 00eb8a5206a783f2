/* The beginning of a watched call: what is copied and noted while its thread is stopped at its entry. */
#include <errno.h>
#include <string.h>

#include "call/async.h"
#include "ptrace/seccomp.h"
#include "ptrace/state.h"

void close_fd(struct engine *engine, struct task *task, struct pending *call)
{
    int fd = (int)call->args[0];
    struct stream *stream = files_find(task->files, fd);

    if (stream) {
        follow_name(engine, task, stream, call->entered_ns);
        call->serial = stream->serial;
        if (stream_moved(stream))
            add_tally(&call->parts, stream);
        add_last_word(engine, &call->parts, task, stream);
        files_remove(task->files, &engine->pool, fd);
    }
    write_call(engine, task, call, RAW_RESULT_UNKNOWN, 0, 0);
}

/* A call of one stop: it ends here. */
static void begin_entry_call(struct engine *engine, struct task *task, struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    if (row->group == GROUP_TASK)
        patch_clone(task, call);
    else if (call->row == ROW_io_destroy)
        aio_destroy(engine, task, call);
    else if (row->group == GROUP_CLOSE)
        close_fd(engine, task, call);
    else if (use_stream(engine, task, (int)call->args[row->fd - 1]))
        write_call(engine, task, call, RAW_RESULT_UNKNOWN, 0, 0);
}

static void begin_transfer(struct engine *engine, struct task *task, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream = use_stream(engine, task, (int)call->args[row->fd - 1]);

    struct stream *to = row->fd2 ? use_stream(engine, task, (int)call->args[row->fd2 - 1]) : stream;
    if (to && row->moves != MOVES_IN)
        follow_name(engine, task, to, call->entered_ns);
    call->serial = stream ? stream->serial : 0;
    call->first_serial = stream ? stream->first_serial : 0;
    if (stream && engine->flows && stream_kind(task, stream) != STREAM_PLAIN)
        call->most = engine->options.flow_snaplen;
    if (to && row->moves != MOVES_IN) {
        to->sending++;
        call->sends = to->serial;
    }
    note_address_room(task, call);
    if (row->moves != MOVES_OUT)
        return;
    copy_at_entry(engine, task, call, !(stream && stream->counts_only));
    begin_ordered_write(engine, task, stream);
}

/* How the call is made, by the registers of the thread. */
static void fill_entry(struct pending *call, const call_info *info, const struct abi *abi)
{
    call->abi = abi;
    call->number = info->entry.nr & ~(uint64_t)abi->mark;
    for (int i = 0; i < 6; i++)
        call->args[i] = info->entry.args[i] & abi->arguments;
    memcpy(call->made_with, info->entry.args, sizeof call->made_with);
    call->ip = info->instruction_pointer;
    call->sp = info->stack_pointer;
    call->entered_ns = monotonic_ns();
}

void begin_call(struct engine *engine, struct task *task, const call_info *info,
                const struct abi *abi, int row)
{
    struct pending *call = &task->call;

    fill_entry(call, info, abi);
    call->row = (uint16_t)row;
    call->filter_passed = !task->entry_seen;
    call->trapped = false;
    call->serial = call->first_serial = call->sends = 0;
    call->most = engine->options.snaplen;
    parts_reset(&call->parts);
    if (row == ROW_socketcall &&
        (!expand_socketcall(engine, task, call) || !when_holds(CALLS[call->row].when, call->args)))
        return;
    if (CALLS[row].stops == STOPS_ENTRY) {
        begin_entry_call(engine, task, call);
        return;
    }
    task->in_call = true;
    if (CALLS[row].group == GROUP_BIRTH)
        fill_birth_flags(task, call);
    if (row == ROW_ptrace && is_ptrace_of_recorder(task, call->args))
        refuse_call(task, EPERM); /* as ptrace(2) says of a process that may not be traced */
    tell_before_end(engine, task, call);
    if (row == ROW_io_submit)
        aio_submit(engine, task, call);
    else if (row == ROW_io_uring_enter)
        uring_enter(engine, task, call);
    else if (CALLS[call->row].moves != MOVES_NOTHING)
        begin_transfer(engine, task, call);
    else
        copy_at_entry(engine, task, call, false);
}
