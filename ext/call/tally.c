#include "call/tally.h"

#include <string.h>

#include "call/fd_names.h"
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/sockets.h"

enum fd_kind fd_kind_of_type(int type)
{
    enum { TYPE_MASK = 0xf }; /* SOCK_TYPE_MASK of the kernel: the rest are flags */

    return (type & TYPE_MASK) == SOCK_STREAM ? FD_STREAM : FD_MESSAGES;
}

enum fd_kind fd_kind_of(const struct caller *caller, struct fd_entry *entry)
{
    struct socket_facts facts;

    if (entry->kind == FD_UNKNOWN)
        entry->kind = socket_ask(caller->tgid, caller->tid, entry->fd, &facts) < 0
                          ? FD_PLAIN
                          : fd_kind_of_type(facts.kind.type);
    return entry->kind;
}

struct fd_entry *write_found_fd(struct context *context, struct caller *caller, int fd,
                                enum raw_seen seen)
{
    struct raw_record header = { .kind = RAW_FD, .args = { (uint32_t)fd, seen } };
    parts_reset(&context->scratch);
    add_fd(&context->scratch, caller->tid, fd);
    detect_fuse(context, &context->scratch);
    struct fd_entry *entry = fd_table_add(caller->fds, &context->fd_pool, fd);
    if (entry)
        entry->name = name_of_part(context, &context->scratch, NULL);
    if (entry && context->flows && fd_kind_of(caller, entry) != FD_PLAIN) {
        bool known = add_ends(&context->scratch, caller, fd);
        entry->ends_recorded = known && entry->kind == FD_STREAM;
    }
    write_record(context, caller, &header, &context->scratch);
    return entry;
}

void add_tally(struct parts *parts, const struct fd_entry *entry)
{
    parts_add(parts, PART_TALLY, 0, &entry->tally, sizeof entry->tally);
    if (entry->calls_count)
        parts_add(parts, PART_CALLS, 0, entry->calls, entry->calls_count * sizeof *entry->calls);
}

/* `stays_open`: this is not the fd's last tally. */
static void write_tally(struct context *context, const struct caller *caller,
                        struct fd_entry *entry, bool stays_open)
{
    struct raw_record header = { .kind = RAW_TALLY,
                                 .fd_serial = entry->serial,
                                 .args = { (uint32_t)entry->fd, stays_open } };

    parts_reset(&context->scratch);
    add_tally(&context->scratch, entry);
    write_record(context, caller, &header, &context->scratch);
    memset(&entry->tally, 0, sizeof entry->tally);
    entry->calls_count = 0;
}

void flush_and_remove(struct context *context, const struct caller *caller, int fd)
{
    struct fd_entry *entry = fd_table_find(caller->fds, fd);

    if (fd_entry_was_used(entry))
        write_tally(context, caller, entry, false);
    fd_table_remove(caller->fds, &context->fd_pool, fd);
}

void flush_tally(struct context *context, const struct caller *caller, struct fd_entry *entry)
{
    if (fd_entry_was_used(entry))
        write_tally(context, caller, entry, true);
}

void flush_counted_calls(struct context *context, struct caller *caller)
{
    for (uint16_t row = 0; row < ROW_COUNT && context->options->counts; row++) {
        uint32_t *count = CALLS[row].counted ? &caller->counted[CALLS[row].counted - 1] : NULL;
        struct raw_record header = { .kind = RAW_COUNT, .syscall = row };
        if (!count || !*count)
            continue;
        header.args[0] = *count;
        write_record(context, caller, &header, NULL);
        *count = 0;
    }
}

static void flush_table(struct context *context, const struct caller *caller)
{
    struct fd_table *fds = caller->fds;

    fds->flush_count = context->flush_count;
    for (size_t fd = 0; fd < fds->size; fd++)
        flush_tally(context, caller, fds->entries[fd]);
}

void flush_caller(struct context *context, struct caller *caller)
{
    if (caller->fds->flush_count != context->flush_count)
        flush_table(context, caller);
    flush_counted_calls(context, caller);
}

void flush_and_remove_all(struct context *context, const struct caller *caller)
{
    for (size_t fd = 0; fd < caller->fds->size; fd++)
        if (caller->fds->entries[fd])
            flush_and_remove(context, caller, (int)fd);
}

struct fd_entry *use_fd(struct context *context, struct caller *caller, int fd)
{
    struct fd_entry *entry = fd_table_find(caller->fds, fd);

    if (entry || fd < 0)
        return entry;
    char link[PROC_PATH];
    struct raw_stat ignored;
    proc_fd_path(link, caller->tid, fd);
    if (proc_stat(link, &ignored) < 0)
        return NULL; /* it is not open, or /proc refuses to say */
    return write_found_fd(context, caller, fd, SEEN_IN_USE);
}

void count_transfers(struct fd_entry *entry, uint16_t row, bool outgoing, uint64_t calls,
                     uint64_t bytes, uint64_t elapsed_ns)
{
    uint16_t plain = outgoing ? ROW_write : ROW_read;

    if (!entry)
        return;
    if (row != plain && entry->kind <= FD_PLAIN)
        fd_entry_count_calls(entry, row, outgoing, calls, bytes, elapsed_ns);
    *(outgoing ? &entry->tally.writes : &entry->tally.reads) += calls;
    *(outgoing ? &entry->tally.write_bytes : &entry->tally.read_bytes) += bytes;
    *(outgoing ? &entry->tally.write_ns : &entry->tally.read_ns) += elapsed_ns;
}
