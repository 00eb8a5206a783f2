/* Calls by which sockets were made, connected or shut down in the gate: what a traced one would have left. */
#include <stdio.h>
#include <string.h>

#include "call/call.h"
#include "call/records.h"
#include "call/socket_final_state.h"
#include "ptrace/gated_state.h"

/* LINK, as the kernel names sockets in /proc: proc(5). */
static void add_socket_name(struct parts *parts)
{
    const struct raw_part *part = parts_find(parts, PART_STAT);
    struct raw_stat file;
    char name[32];

    if (!part || part->size != sizeof file)
        return;
    memcpy(&file, part->bytes, sizeof file);
    int size = snprintf(name, sizeof name, "socket:[%llu]", (unsigned long long)file.ino);
    parts_add(parts, PART_LINK, 0, name, (size_t)size);
}

static void apply_made(struct engine *engine, const struct gate_thread *thread,
                       struct pending *call, const struct gate_record *record, uint64_t elapsed_ns)
{
    struct caller *caller = thread->caller;

    add_socket_name(&call->parts);
    record_ended(&engine->context, caller, call, record->result, elapsed_ns);
    struct fd_entry *entry = fd_table_find(caller->fds, (int)record->result);
    if (entry)
        entry->generation = record->generation;
}

/* Write what poll(2) has said before the call, as a record of its own. */
static void take_hangup(struct context *context, const struct caller *caller,
                        const struct fd_entry *entry, struct parts *parts)
{
    const struct raw_part *part = parts_find(parts, PART_HANGUP);
    uint32_t events;

    if (!part)
        return;
    memcpy(&events, part->bytes, sizeof events);
    parts_reset(parts);
    write_hangup(context, caller, entry, events);
}

void apply_socket_record(struct engine *engine, const struct gate_thread *thread,
                         struct pending *call, const struct gate_record *record,
                         uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    struct caller *caller = thread->caller;

    if (record->result < 0 && !is_connect(call->row))
        return; /* the program has lied */
    if (row->makes_fd) {
        apply_made(engine, thread, call, record, elapsed_ns);
        return;
    }
    const struct fd_entry *entry = fd_table_find(caller->fds, (int)call->args[row->fd - 1]);
    if (!entry || entry->generation != record->generation)
        call->args[row->fd - 1] = UINT64_MAX;
    else
        take_hangup(&engine->context, caller, entry, &call->parts);
    record_ended(&engine->context, caller, call, record->result, elapsed_ns);
}
