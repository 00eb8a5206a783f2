/*
 * The names of open files.
 *
 * A file can be renamed while it is open, and so can a folder that it is in. Its current name is the link
 * /proc/TID/fd/N. To read that costs 2.5 µs; so before the use of an fd it is read again only
 *
 *  1. if the name is older than NAME_AGE_NS: that takes less than 1 % of any program's time; or
 *  2. if a thread of this recording has renamed something since.
 *
 * If the name is another one, a RAW_FD record says so before the record of the use.
 */
#include "call/fd_names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/tally.h"

enum { NAME_AGE_NS = 250 * 1000, NAME_UNKNOWN = 1 };

static const char DELETED[] =
    " (deleted)"; /* what the kernel appends to the name of a deleted file: proc(5) */

/* FNV-1a; never 0 (the file has no name in a file system), nor NAME_UNKNOWN. */
static uint64_t hash(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 0x100000001b3u;
    return value > NAME_UNKNOWN ? value : 2;
}

static size_t without_deleted(const uint8_t *link, size_t size)
{
    const size_t suffix = sizeof DELETED - 1;

    return size > suffix && !memcmp(link + size - suffix, DELETED, suffix) ? size - suffix : size;
}

struct fd_name name_of_part(const struct context *context, const struct parts *parts,
                            const struct fd_entry *copied)
{
    const struct raw_part *link = parts_find(parts, PART_LINK);

    if (!link || link->flags)
        return copied ? copied->name : (struct fd_name){ .hash = NAME_UNKNOWN };
    bool has_name = link->size && link->bytes[0] == '/';
    return (struct fd_name){
        .hash = has_name ? hash(link->bytes, without_deleted(link->bytes, link->size)) : 0,
        .time_ns = monotonic_ns(),
        .renames = context->renames,
    };
}

/* Whether the file has this name: one may end in " (deleted)" without being deleted. */
static bool is_there(const uint8_t *name, size_t size, const char *link)
{
    char path[PATH_LIMIT + 1];
    struct raw_stat facts;
    struct statx named;

    memcpy(path, name, size);
    path[size] = '\0';
    return proc_stat(link, &facts) == 0 &&
           statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_INO, &named) ==
               0 &&
           named.stx_ino == facts.ino;
}

static void change_name(struct context *context, const struct caller *caller,
                        struct fd_entry *entry, uint64_t name)
{
    entry->name.hash = name;
    fd_table_forget(caller->fds, entry->fd, false);
    flush_tally(context, caller, entry); /* what was transferred under its former name */
    entry->muted = false; /* Python mutes it again if the new name is not wanted either */
    fd_pool_renew(&context->fd_pool, entry);
}

/* `parts`: the new name, and what its file is. */
static void write_renamed(struct context *context, const struct caller *caller,
                          const struct fd_entry *entry, const struct parts *parts)
{
    struct raw_record header = { .kind = RAW_FD, .args = { (uint32_t)entry->fd, SEEN_RENAMED } };

    write_record(context, caller, &header, parts);
}

void take_last_name(struct context *context, const struct caller *caller, struct fd_entry *entry,
                    struct parts *parts)
{
    const struct raw_part *link = parts_find(parts, PART_LINK);
    uint64_t found = link ? hash(link->bytes, link->size) : 0;

    if (entry && entry->name.hash && found && found != entry->name.hash) {
        change_name(context, caller, entry, found);
        write_renamed(context, caller, entry, parts);
    }
    if (link)
        parts_reset(parts);
}

void refresh_name(struct context *context, const struct caller *caller, struct fd_entry *entry,
                  uint64_t now_ns)
{
    char link[PROC_PATH];
    uint8_t name[PATH_LIMIT];

    if (!entry->name.hash ||
        (entry->name.renames == context->renames && now_ns - entry->name.time_ns < NAME_AGE_NS))
        return;
    entry->name.renames = context->renames;
    entry->name.time_ns = now_ns;
    proc_fd_path(link, caller->tid, entry->fd);
    ssize_t length = proc_link(link, (char *)name, sizeof name);
    if (length > 0 && name[0] != '/')
        entry->name.hash = 0;
    if (length <= 0 || name[0] != '/')
        return;
    size_t size = without_deleted(name, (size_t)length);
    if (size < (size_t)length && !context->serves_files && is_there(name, (size_t)length, link))
        size = (size_t)length;
    uint64_t found = hash(name, size);
    if (found == entry->name.hash)
        return;
    change_name(context, caller, entry, found);
    parts_reset(&context->scratch);
    parts_add(&context->scratch, PART_LINK, 0, name, size);
    add_stat(&context->scratch, link);
    write_renamed(context, caller, entry, &context->scratch);
}
