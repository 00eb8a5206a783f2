/*
 * What open files are called now.
 *
 * An open file keeps its place while anybody renames it, or a folder that it is in. The kernel has
 * the name of the moment behind /proc/TID/fd/N. To ask at each use would cost 2.5 µs each time; so
 * a name is asked for again only if it is older than NAME_AGE_NS, which makes that less than 1 % of
 * any program's time, or if a task of this session has renamed something since. A name that is new
 * is shown to Python (RAW_FD) before the record of the use.
 */
#include "call/fd_names.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/tally.h"

enum { NAME_AGE_NS = 250 * 1000, NOT_ASKED = 1 };

static const char DELETED[] =
    " (deleted)"; /* the kernel's remark on a name that is gone: proc(5) */

/* FNV-1a; never 0, which is for what has no name in a file system, nor 1. */
static uint64_t hash(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        value = (value ^ bytes[i]) * 0x100000001b3u;
    return value > NOT_ASKED ? value : 2;
}

static size_t without_remark(const uint8_t *link, size_t size)
{
    const size_t remark = sizeof DELETED - 1;

    return size > remark && !memcmp(link + size - remark, DELETED, remark) ? size - remark : size;
}

uint64_t name_in(const struct parts *parts, const struct stream *copied)
{
    const struct raw_part *link = parts_find(parts, PART_LINK);

    if (!link || link->flags)
        return copied ? copied->name : NOT_ASKED;
    if (!link->size || link->bytes[0] != '/')
        return 0;
    return hash(link->bytes, without_remark(link->bytes, link->size));
}

void begin_name(const struct context *context, struct stream *stream, uint64_t name)
{
    stream->name = name;
    stream->name_ns = monotonic_ns();
    stream->name_renames = context->renames;
}

/* Whether a file is really called so: a name may end as the kernel's remark does. */
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

static void write_renamed(struct context *context, const struct caller *caller,
                          struct stream *stream, const uint8_t *name, size_t size, const char *link)
{
    struct raw_record header = { .kind = RAW_FD, .args = { (uint32_t)stream->fd, SEEN_RENAMED } };

    tell_stream(context, caller, stream); /* what it moved under its former name */
    stream->counts_only = false; /* that name was not wanted; of this one nobody knows yet */
    pool_renew(&context->pool, stream);
    parts_reset(&context->scratch);
    parts_add(&context->scratch, PART_LINK, 0, name, size);
    add_stat(&context->scratch, link);
    write_record(context, caller, &header, &context->scratch);
}

void follow_name(struct context *context, const struct caller *caller, struct stream *stream,
                 uint64_t now_ns)
{
    char link[PROC_PATH];
    uint8_t name[PATH_LIMIT];

    if (!stream->name ||
        (stream->name_renames == context->renames && now_ns - stream->name_ns < NAME_AGE_NS))
        return;
    stream->name_renames = context->renames;
    stream->name_ns = now_ns;
    proc_fd_path(link, caller->tid, stream->fd);
    ssize_t length = proc_link(link, (char *)name, sizeof name);
    if (length > 0 && name[0] != '/')
        stream->name = 0;
    if (length <= 0 || name[0] != '/')
        return;
    size_t size = without_remark(name, (size_t)length);
    if (size < (size_t)length && !context->serves_files && is_there(name, (size_t)length, link))
        size = (size_t)length;
    uint64_t found = hash(name, size);
    if (found == stream->name)
        return;
    stream->name = found;
    write_renamed(context, caller, stream, name, size, link);
}
