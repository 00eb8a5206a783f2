/*
 * The names of files that the gate has opened without asking for them.
 *
 * Their paths led through no symbolic link (openat2(2), RESOLVE_NO_SYMLINKS). So the name of such a file is
 * that of the folder where its path starts, and the path itself without "." and "..".
 *
 *  1. What that folder is called is asked for in a round. Whatever could change it begins with a round:
 *     chdir, rename, a close of its fd. The answer serves for FOLDER_AGE_NS, or until one of these.
 *  2. Another thread of the program may change the cwd while a file is opened. Of a program with threads a
 *     name counts only if it leads to the file.
 *  3. Where a name cannot be worked out so, the kernel is asked if the file is still open. Else the record
 *     has no name, and decode works it out.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "call/payload.h"
#include "call/proc.h"
#include "ptrace/gated_state.h"

enum { FOLDER_AGE_NS = 20 * 1000 * 1000 };

struct name {
    char bytes[2 * PATH_LIMIT];
    size_t size;
};

bool can_name_opens(const struct engine *engine)
{
    const uint8_t *modes = engine->options.calls.modes;
    struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
    long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how);

    if (fd >= 0)
        close((int)fd);
    return fd >= 0 && modes[ROW_rename] == MODE_ALL && modes[ROW_chdir] == MODE_ALL;
}

/* -- paths ------------------------------------------------------------------------------------ */

static void leave_last(struct name *name)
{
    while (name->size && name->bytes[--name->size] != '/')
        ;
}

static void append_one(struct name *name, const char *one, size_t size)
{
    if (!size || (size == 1 && one[0] == '.'))
        return;
    if (size == 2 && one[0] == '.' && one[1] == '.') {
        leave_last(name);
        return;
    }
    name->bytes[name->size++] = '/';
    memcpy(name->bytes + name->size, one, size);
    name->size += size;
}

/* `name` has no "/" at its end, and room for the path. */
static void append_path(struct name *name, const char *path, size_t size)
{
    for (const char *end = path + size; path < end;) {
        const char *slash = memchr(path, '/', (size_t)(end - path));
        const char *next = slash ? slash : end;
        append_one(name, path, (size_t)(next - path));
        path = next + 1;
    }
    if (!name->size)
        name->bytes[name->size++] = '/';
}

/* -- folders ---------------------------------------------------------------------------------- */

/* Whether an fd is still what the engine knows: its number may be another file's by now. */
static bool is_still_open(const struct caller *caller, int fd)
{
    const struct fd_entry *entry = fd_table_find(caller->fds, fd);

    return entry && (size_t)fd < caller->fds->word_count &&
           GATE_FD_GENERATION(caller->fds->words[fd]) == entry->generation;
}

static uint64_t folder_key(const struct caller *caller, int dirfd)
{
    const struct fd_entry *entry = fd_table_find(caller->fds, dirfd);
    uint64_t generation = entry ? entry->generation : 0;

    return gate_fd_key(generation, dirfd);
}

static bool read_folder(const struct caller *caller, int dirfd, struct gate_folder *folder)
{
    char link[PROC_PATH], name[PATH_LIMIT];

    if (dirfd == AT_FDCWD)
        proc_path(link, caller->tid, "cwd");
    else if (is_still_open(caller, dirfd))
        proc_fd_path(link, caller->tid, dirfd);
    else
        return false;
    ssize_t size = proc_link(link, name, sizeof name);
    if (size <= 0 || (size_t)size == sizeof name || name[0] != '/')
        return false;
    folder->size = size == 1 ? 0 : (size_t)size;
    folder->name = malloc(sizeof name);
    if (folder->name)
        memcpy(folder->name, name, folder->size);
    return folder->name;
}

static bool find_folder(const struct context *context, struct gate_thread *thread, int dirfd)
{
    struct gate_folder *folder = &thread->folder, found = {
        .fd = folder_key(thread->caller, dirfd),
        .epoch = context->renames + context->moves,
        .read_ns = monotonic_ns(),
    };

    if (folder->name && folder->fd == found.fd && folder->epoch == found.epoch &&
        found.read_ns - folder->read_ns < FOLDER_AGE_NS)
        return true;
    free(folder->name);
    folder->name = NULL;
    if (!read_folder(thread->caller, dirfd, &found))
        return false;
    *folder = found;
    return true;
}

/* -- names ------------------------------------------------------------------------------------ */

static bool leads_to_file(const struct name *name, const struct parts *parts)
{
    const struct raw_part *part = parts_find(parts, PART_STAT);
    char path[sizeof name->bytes + 1];
    struct raw_stat file;
    struct statx named;

    if (!part || part->size != sizeof file)
        return false;
    memcpy(&file, part->bytes, sizeof file);
    memcpy(path, name->bytes, name->size);
    path[name->size] = '\0';
    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_INO, &named) ==
               0 &&
           named.stx_ino == file.ino &&
           makedev(named.stx_dev_major, named.stx_dev_minor) == file.dev;
}

/* The name by which a file was opened. False: it cannot be worked out. */
static bool name_of(const struct context *context, struct gate_thread *thread,
                    const struct pending *call, const struct raw_part *path, struct name *name)
{
    const struct call *row = &CALLS[call->row];
    int dirfd = row->dirfd ? (int)call->args[row->dirfd - 1] : AT_FDCWD;
    bool relative = path->bytes[0] != '/';

    name->size = 0;
    if (relative && !find_folder(context, thread, dirfd))
        return false;
    if (relative) {
        name->size = thread->folder.size;
        memcpy(name->bytes, thread->folder.name, name->size);
    }
    append_path(name, (const char *)path->bytes, path->size);
    return !relative || thread->caller->space->uses == 1 || leads_to_file(name, &call->parts);
}

/* The same as the kernel has it, if the file is still open. */
static void add_kernels_name(const struct caller *caller, const struct gate_record *record,
                             struct parts *parts)
{
    char link[PROC_PATH];

    if (record->fd >= caller->fds->word_count ||
        GATE_FD_GENERATION(caller->fds->words[record->fd]) != record->generation)
        return;
    proc_fd_path(link, caller->tid, (int)record->fd);
    add_link(parts, PART_LINK, link);
}

void add_opened_name(struct engine *engine, struct gate_thread *thread,
                     const struct gate_record *record, struct pending *call)
{
    const struct context *context = &engine->context;
    const struct raw_part *path = parts_find(&call->parts, PART_PATH);
    struct name name;

    if (parts_find(&call->parts, PART_LINK) || !path || !path->size || path->size >= PATH_LIMIT ||
        !thread->caller->space || context->roots_differ || context->serves_files)
        return;
    if (name_of(context, thread, call, path, &name))
        parts_add(&call->parts, PART_LINK, 0, name.bytes, name.size);
    else
        add_kernels_name(thread->caller, record, &call->parts);
}
