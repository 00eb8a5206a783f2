#include "call/socket_final_state.h"

#include <limits.h>

#include "call/fd_names.h"
#include "call/payload.h"
#include "call/records.h"
#include "call/sockets.h"

void add_final_state(const struct context *context, struct parts *parts,
                     const struct caller *caller, const struct fd_entry *entry)
{
    if (entry->connecting) {
        add_ends(parts, caller, entry->fd);
    } else if (context->flows && entry->kind == FD_STREAM) {
        uint32_t events = socket_hangup(caller->tgid, entry->fd);
        if (events)
            parts_add(parts, PART_HANGUP, 0, &events, sizeof events);
    }
}

/* A record of an fd that stays open, with the parts of the scratch. */
static void write_scratch(struct context *context, const struct caller *caller,
                          const struct fd_entry *entry)
{
    struct raw_record header = { .kind = RAW_TALLY,
                                 .fd_serial = entry->serial,
                                 .args = { (uint32_t)entry->fd, true } };

    if (context->scratch.used)
        write_record(context, caller, &header, &context->scratch);
}

void write_hangup(struct context *context, const struct caller *caller,
                  const struct fd_entry *entry, uint32_t events)
{
    parts_reset(&context->scratch);
    parts_add(&context->scratch, PART_HANGUP, 0, &events, sizeof events);
    write_scratch(context, caller, entry);
}

static void write_final_state(struct context *context, const struct caller *caller,
                              struct fd_entry *entry, uint64_t now_ns)
{
    refresh_name(context, caller, entry,
                 now_ns); /* after the close its name cannot be read any more */
    parts_reset(&context->scratch);
    add_final_state(context, &context->scratch, caller, entry);
    write_scratch(context, caller, entry);
}

void write_final_states(struct context *context, const struct caller *caller, unsigned first,
                        unsigned last)
{
    const struct fd_table *fds = caller->fds;
    uint64_t now_ns = monotonic_ns();

    for (size_t fd = first; fd < fds->size && fd <= last; fd++)
        if (fds->entries[fd])
            write_final_state(context, caller, fds->entries[fd], now_ns);
}

void write_final_states_before(struct context *context, const struct caller *caller,
                               const struct pending *call)
{
    unsigned first = (unsigned)call->args[0], second = (unsigned)call->args[1];

    if (call->row == ROW_dup2 || call->row == ROW_dup3)
        write_final_states(context, caller, second, second);
    else if (call->row == ROW_shutdown || call->row == ROW_io_uring_enter__shutdown)
        write_final_states(context, caller, first, first);
    else if (call->row == ROW_close_range && !(call->args[2] & RANGE_CLOEXEC))
        write_final_states(context, caller, first, second);
    else if (CALLS[call->row].group == GROUP_EXEC)
        write_final_states(context, caller, 0, UINT_MAX);
}
