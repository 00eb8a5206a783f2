#include "call/evidence.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h> /* statx */
#include <sys/vfs.h>  /* fstatfs */
#include <sys/xattr.h>
#include <unistd.h>

#include "call/arguments.h"
#include "call/holder.h"
#include "call/payload.h"
#include "call/proc.h"

enum {
    STEPS_MAX = 64,   /* of one path */
    LINKS_MAX = 40,   /* that the kernel follows: path_resolution(7) */
    HEAD_SIZE = 1024, /* room for a line "#!", or for the tables at the start of an ELF file */
    MOUNTS_SIZE = 32 * 1024, /* some 200 mounts */
    LOCKS_SIZE = 16 * 1024,  /* some 250 locks */
    FDINFO_SIZE = 512,
    COMMAND_SIZE = 256,
    SEARCHES_MAX = 100,    /* for a holder, in one recording */
    PATH_NAMES_MAX = 1024, /* in a path and the links on its way */
    /* of the arguments and variables of exec, with the NUL of each: execve(2) */
    STRING_MAX = 32 * 4096,
    STRINGS_LEAST = 128 * 1024,
    STRINGS_MOST = 6 * 1024 * 1024,
    STRINGS_READ = 16 * 1024 * 1024,
    READS_MOST = 16 * 1024, /* of the memory that has them, while the program waits */
};

/* -- what is not there --------------------------------------------------------------------------- */

void add_missing(struct parts *parts, const char *name, size_t length, size_t there)
{
    size_t from = there > 1 ? there + 1 : 1;
    const char *end = from < length ? memchr(name + from, '/', length - from) : NULL;

    if (end && !parts_find(parts, PART_MISSING))
        parts_add(parts, PART_MISSING, 0, name, (size_t)(end - name));
}

/* MISSING: the folder where a relative path starts, if it has been removed: nothing can be in it. */
static void add_removed_folder(struct parts *parts, const struct passed_path *passed)
{
    static const char REMOVED[] = " (deleted)";
    enum { MARK = sizeof REMOVED - 1 };
    const struct lookup *lookup = &passed->lookup;
    char path[PROC_PATH], folder[PATH_LIMIT];
    struct raw_stat found;

    if (!passed->length || passed->text[0] == '/')
        return;
    if (lookup->dirfd == AT_FDCWD)
        proc_path(path, lookup->tid, "cwd");
    else
        proc_fd_path(path, lookup->tid, lookup->dirfd);
    ssize_t length = proc_link(path, folder, sizeof folder);
    if (length > MARK && memcmp(folder + length - MARK, REMOVED, MARK) == 0 &&
        proc_stat(path, &found) == 0 && found.links == 0)
        parts_add(parts, PART_MISSING, PART_REMOVED, folder, (size_t)(length - MARK));
}

static void add_removed_folders(const struct context *context, const struct caller *caller,
                                struct pending *call)
{
    struct passed_path path;

    if (find_path(context, caller, call, &path))
        add_removed_folder(&call->parts, &path);
    if (find_path2(context, caller, call, &path))
        add_removed_folder(&call->parts, &path);
}

/*
 * Follow a symbolic link that leads to further ones: the last of them becomes `path`, its text `target`.
 * Returns the length of that text; not positive if `path` is no link. `*further_out`: it led to others.
 */
static ssize_t last_link(char path[static NAME_LIMIT], char target[static PATH_LIMIT],
                         bool *further_out)
{
    char next[NAME_LIMIT], text[PATH_LIMIT];
    ssize_t length = proc_link(path, target, PATH_LIMIT);

    *further_out = false;
    for (int links = 1; length > 0 && links < LINKS_MAX; links++) {
        const char *slash = target[0] == '/' ? NULL : strrchr(path, '/');
        int folder = slash ? (int)(slash + 1 - path) : 0;
        int size = snprintf(next, sizeof next, "%.*s%.*s", folder, path, (int)length, target);
        ssize_t more = size < (int)sizeof next ? proc_link(next, text, sizeof text) : 0;
        if (more <= 0)
            break;
        memcpy(path, next, (size_t)size + 1);
        memcpy(target, text, (size_t)more);
        length = more;
        *further_out = true;
    }
    return length;
}

/*
 * TARGET: if what is not there is where a symbolic link leads, the text of that link. MISSING: its name, if
 * other links lead to it.
 */
static void add_target(const struct context *context, const struct caller *caller,
                       struct parts *parts)
{
    const struct lookup lookup = {
        .tid = caller->tid,
        .root_differs = context->roots_differ,
    };
    const struct raw_part *missing = parts_find(parts, PART_MISSING);
    const struct raw_part *name = missing ? missing : parts_find(parts, PART_NAME);
    char path[NAME_LIMIT], target[PATH_LIMIT];

    if (!name || name->size >= sizeof path || sees_other_files(&lookup))
        return;
    memcpy(path, name->bytes, name->size);
    path[name->size] = '\0';
    bool further;
    ssize_t length = last_link(path, target, &further);
    if (length > 0)
        parts_add(parts, PART_TARGET, 0, target, (size_t)length);
    if (further) /* of two parts of one kind the later one counts */
        parts_add(parts, PART_MISSING, 0, path, strlen(path));
}

enum presence file_before(const struct context *context, const struct caller *caller,
                          const struct pending *call)
{
    struct passed_path path;

    if (!may_create(call) || !find_path(context, caller, call, &path) || path.lookup.no_walk)
        return PRESENCE_UNKNOWN;
    int fd =
        resolve_open(&path.lookup, path.text, path.length, path.lookup.follow ? 0 : O_NOFOLLOW);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? PRESENT : fd == -ENOENT ? ABSENT : PRESENCE_UNKNOWN;
}

/* -- who refuses ----------------------------------------------------------------------------------- */

static bool has_acl(int fd)
{
    char link[PROC_PATH];

    proc_fd_path(link, getpid(), fd); /* an O_PATH fd has no attributes: open(2) */
    return getxattr(link, "system.posix_acl_access", NULL, 0) > 0;
}

/* STEP: what `fd` is open for. */
static void add_step(struct parts *parts, const struct lookup *lookup, int fd, uint32_t path)
{
    struct statx found;
    struct raw_step *step = parts_begin(parts, sizeof *step + NAME_LIMIT);

    if (!step || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, &found) < 0)
        return;
    *step =
        (struct raw_step){ .mode = found.stx_mode,
                           .uid = found.stx_uid,
                           .gid = found.stx_gid,
                           .path = path,
                           .attributes = found.stx_attributes | (has_acl(fd) ? STEP_HAS_ACL : 0) };
    size_t length = resolve_name(lookup, fd, (char *)(step + 1));
    parts_end(parts, PART_STEP, 0, sizeof *step + length);
}

/* Where the next name of a path ends; its length if that was the last one. */
static size_t end_of_next(const char *path, size_t length, size_t at)
{
    while (at < length && path[at] == '/')
        at++;
    while (at < length && path[at] != '/')
        at++;
    return at;
}

/*
 * Put the text of the symbolic link that ends at `*end` in its place; `before`: where the name before it
 * ends. `*end` becomes where the way goes on. Returns false if it is no link, or too long. `parts`: if not
 * NULL, they get its STEP and TARGET.
 */
static bool put_target(const struct lookup *lookup, char text[static PATH_LIMIT], size_t *length,
                       size_t before, size_t *end, struct parts *parts, uint32_t path)
{
    char target[PATH_LIMIT];
    size_t start = before, rest = *length - *end;
    int fd = resolve_open(lookup, text, *end, O_NOFOLLOW);
    ssize_t size = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof target);

    while (start < *end && text[start] == '/')
        start++;
    bool absolute = size > 0 && target[0] == '/';
    if (absolute)
        start = 0;
    bool fits = size > 0 && start + (size_t)size + rest <= PATH_LIMIT;
    if (fits && parts) {
        add_step(parts, lookup, fd, path);
        parts_add(parts, PART_TARGET, 0, target, (size_t)size);
    }
    if (fd >= 0)
        close(fd);
    if (!fits)
        return false;
    memmove(text + start + size, text + *end, rest);
    memcpy(text + start, target, (size_t)size);
    *length = start + (size_t)size + rest;
    *end = absolute ? 1 : before;
    return true;
}

/*
 * A STEP and the TARGET of each symbolic link on the way to a path, in the order in which the kernel follows
 * them, also of a last one that it does not follow; if the last name is no link, a STEP of what it means.
 */
static void add_links(struct parts *parts, const struct passed_path *passed, uint32_t path)
{
    const struct lookup lookup = passed->lookup;
    char text[PATH_LIMIT]; /* adding a part moves what `passed` points to */
    size_t length = passed->length, before = length && passed->text[0] == '/';

    if (length > sizeof text)
        return;
    memcpy(text, passed->text, length);
    size_t end = end_of_next(text, length, before);
    for (int names = 0, links = 0; names < PATH_NAMES_MAX && links <= LINKS_MAX; names++) {
        bool last = end_of_next(text, length, end) == end;
        bool is_link = put_target(&lookup, text, &length, before, &end, parts, path);
        int fd = last && !is_link ? resolve_open(&lookup, text, end, O_NOFOLLOW) : -1;
        if (fd >= 0) {
            add_step(parts, &lookup, fd, path);
            close(fd);
        }
        if (last && !(is_link && lookup.follow))
            return;
        links += is_link;
        before = end;
        end = end_of_next(text, length, end);
    }
}

/*
 * A STEP for the folder where a path starts and for each name in it, as far as it is there; of a link
 * through which there is no way, the STEPs of where it leads.
 */
static void add_steps(struct parts *parts, const struct passed_path *passed, uint32_t path)
{
    char text[PATH_LIMIT]; /* adding a part moves what `passed` points to */
    size_t length = passed->length, end = length && passed->text[0] == '/', before = 0;

    if (length > sizeof text)
        return;
    memcpy(text, passed->text, length);
    for (int count = 0; count < STEPS_MAX; count++) {
        bool last = end_of_next(text, length, end) == end;
        uint64_t flags = last && !passed->lookup.follow ? O_NOFOLLOW : 0;
        int fd = resolve_open(&passed->lookup, text, end, flags);
        if (fd < 0) {
            if (flags || !put_target(&passed->lookup, text, &length, before, &end, NULL, path))
                return;
            continue;
        }
        add_step(parts, &passed->lookup, fd, path);
        close(fd);
        if (last)
            return;
        before = end;
        end = end_of_next(text, length, end);
    }
}

/* The same of the file of an fd: there is no way to it. */
static void add_fd_step(struct parts *parts, const struct caller *caller, int fd)
{
    const struct lookup lookup = { .tid = caller->tid, .tgid = caller->tgid };
    char link[PROC_PATH];

    proc_fd_path(link, caller->tid, fd);
    int copy = open(link, O_PATH | O_CLOEXEC);
    if (copy < 0)
        return;
    add_step(parts, &lookup, copy, 1);
    close(copy);
}

static void add_way(const struct context *context, const struct caller *caller,
                    struct pending *call, int64_t result)
{
    const struct call *row = &CALLS[call->row];
    uint8_t fd = row->fd ? row->fd : row->dirfd; /* of which the file is meant without a path */
    struct passed_path path;

    void (*add)(struct parts *, const struct passed_path *, uint32_t) =
        result == -ELOOP ? add_links : add_steps;
    bool found = find_path(context, caller, call, &path);
    if (!row->path)
        path.lookup.follow = call->row != ROW_bind;
    if (found)
        add(&call->parts, &path, 1);
    else if (fd && !row->makes_fd && !row->address && !row->message && !context->serves_files)
        add_fd_step(&call->parts, caller, (int)argument(call, fd));
    if (find_path2(context, caller, call, &path))
        add(&call->parts, &path, 2);
}

/* -- programs -------------------------------------------------------------------------------------- */

/* HEAD: the first bytes of a file that was to be executed, if it is there and a file. */
static void add_head(const struct context *context, const struct caller *caller,
                     struct pending *call)
{
    struct passed_path path;
    char link[PROC_PATH];
    struct raw_stat found;

    if (!find_path(context, caller, call, &path))
        return;
    int fd = resolve_open(&path.lookup, path.text, path.length, 0);
    if (fd < 0)
        return;
    proc_fd_path(link, getpid(), fd);
    void *room = parts_begin(&call->parts, HEAD_SIZE);
    if (room && proc_stat(link, &found) == 0 && S_ISREG(found.mode)) {
        ssize_t length = proc_file(link, room, HEAD_SIZE);
        if (length > 0)
            parts_end(&call->parts, PART_HEAD, 0, (size_t)length);
    }
    close(fd);
}

/* What was read last of the arguments of an exec, and how often anything was. */
struct reading {
    const struct caller *caller;
    uint64_t at;
    size_t length;
    unsigned *reads;
    char bytes[PATH_LIMIT];
};

/*
 * Point to the bytes at an address, and return how many there are: strings mostly follow each other, so the
 * last read has most of them. 0: there are none, or enough was read.
 */
static size_t bytes_at(struct reading *reading, uint64_t address, const char **bytes)
{
    if (address - reading->at >= reading->length) {
        reading->length = 0;
        if (*reading->reads >= READS_MOST)
            return 0;
        ++*reading->reads;
        reading->at = address;
        memory_read(reading->caller->space, reading->caller->tid, address, reading->bytes,
                    sizeof reading->bytes, &reading->length);
    }
    *bytes = reading->bytes + (address - reading->at);
    return reading->length - (address - reading->at);
}

/* A pointer of an array; 0: it is the last one, or cannot be read. */
static uint64_t pointer_at(struct reading *reading, uint64_t address, size_t word)
{
    const char *bytes;
    uint64_t pointer = 0;

    if (bytes_at(reading, address, &bytes) < word) {
        reading->length = 0;
        if (bytes_at(reading, address, &bytes) < word)
            return 0;
    }
    memcpy(&pointer, bytes, word);
    return pointer;
}

/* How many bytes a string of a program has with its NUL, as far as they are read. */
static size_t string_size(struct reading *reading, uint64_t address)
{
    const char *bytes;
    size_t size = 0, length;

    while (size < STRINGS_READ && (length = bytes_at(reading, address + size, &bytes)) > 0) {
        size_t found = strnlen(bytes, length);
        size += found;
        if (found < length)
            return size + 1;
    }
    return size;
}

/* EXCESS of a string that is too long, and how it begins. */
static void add_long_string(const struct caller *caller, struct parts *parts, uint64_t address,
                            const struct raw_excess *excess)
{
    enum { NAME_SIZE = 64 };
    char *room = parts_begin(parts, sizeof *excess + NAME_SIZE);
    size_t copied = 0;

    if (!room)
        return;
    memcpy(room, excess, sizeof *excess);
    memory_read_string(caller->space, caller->tid, address, room + sizeof *excess, NAME_SIZE,
                       &copied);
    parts_end(parts, PART_EXCESS, 0, sizeof *excess + copied);
}

/* Add the strings of an array of exec to `sum`; false: one of them is too long, and has an EXCESS. */
static bool add_up(const struct caller *caller, struct pending *call, uint64_t array,
                   uint64_t place, struct raw_excess *sum, unsigned *reads)
{
    struct reading pointers = { .caller = caller, .reads = reads };
    struct reading strings = { .caller = caller, .reads = reads };
    size_t word = call->abi->word;

    for (uint64_t number = 0; array && sum->size < STRINGS_READ; number++) {
        uint64_t string = pointer_at(&pointers, array + number * word, word);
        if (!string)
            break;
        size_t size = string_size(&strings, string);
        if (size > STRING_MAX) {
            struct raw_excess excess = { place, number, size - 1, STRING_MAX - 1 };
            add_long_string(caller, &call->parts, string, &excess);
            return false;
        }
        sum->number++;
        sum->size += size + sizeof string; /* the kernel counts its own pointers */
    }
    return true;
}

/* EXCESS: what of the arguments and variables of exec is too long (bprm_stack_limits in fs/exec.c). */
static void add_excess(const struct caller *caller, struct pending *call)
{
    uint8_t at = CALLS[call->row].path + 1;
    struct raw_excess all = { .place = EXCESS_ALL };
    struct rlimit64 stack;
    unsigned reads = 0;

    if (!add_up(caller, call, argument(call, at), EXCESS_ARGUMENT, &all, &reads) ||
        !add_up(caller, call, argument(call, at + 1), EXCESS_VARIABLE, &all, &reads) ||
        prlimit64(caller->tgid, RLIMIT_STACK, NULL, &stack) < 0)
        return;
    all.limit = stack.rlim_cur / 4;
    if (all.limit > STRINGS_MOST)
        all.limit = STRINGS_MOST;
    if (all.limit < STRINGS_LEAST)
        all.limit = STRINGS_LEAST;
    if (all.size >= STRINGS_READ || reads >= READS_MOST)
        all.number = 0; /* not all were counted */
    if (all.size > all.limit)
        parts_add(&call->parts, PART_EXCESS, 0, &all, sizeof all);
}

/* MOUNTS: what is mounted where, as the thread sees it. */
static void add_mounts(const struct caller *caller, struct pending *call)
{
    char path[PROC_PATH];

    proc_path(path, caller->tid, "mountinfo");
    add_file(&call->parts, PART_MOUNTS, path, MOUNTS_SIZE);
}

/* SPACE: what is left of the file system of the fd of a call, or of the folder of its last path. */
static void add_space(const struct context *context, const struct caller *caller,
                      struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct passed_path path;
    char link[PROC_PATH];
    struct statfs64 found;
    int fd = -1;

    if (find_path2(context, caller, call, &path) || find_path(context, caller, call, &path)) {
        while (path.length && path.text[path.length - 1] != '/')
            path.length--;
        fd = resolve_open(&path.lookup, path.text, path.length, 0);
    } else if (row->fd && !context->serves_files) {
        proc_fd_path(link, caller->tid, (int)argument(call, row->fd));
        fd = open(link, O_PATH | O_CLOEXEC);
    }
    if (fd < 0)
        return;
    if (fstatfs64(fd, &found) == 0) {
        struct raw_space space = { found.f_files, found.f_ffree };
        parts_add(&call->parts, PART_SPACE, 0, &space, sizeof space);
    }
    close(fd);
}

/* -- fds and locks --------------------------------------------------------------------------------- */

static bool is_mapping(const struct call *row)
{
    return (row->group == GROUP_HEAP || row->group == GROUP_ROOM) &&
           strncmp(row->name, "mmap", strlen("mmap")) == 0;
}

/* Which argument is the fd that a call is about, counted from 1; 0: none is. */
static uint8_t fd_position(const struct call *row)
{
    enum { OF_MMAP = 5 };

    return is_mapping(row) ? OF_MMAP : row->fd ? row->fd : row->dirfd;
}

/* FDINFO: how the fd at `position` of a call is open; empty if it is not. */
static void add_fdinfo_of(const struct caller *caller, struct pending *call, uint8_t position)
{
    char name[PROC_PATH], path[PROC_PATH], text[FDINFO_SIZE];

    if (!position)
        return;
    snprintf(name, sizeof name, "fdinfo/%d", (int)argument(call, position));
    proc_path(path, caller->tid, name);
    ssize_t length = proc_file(path, text, sizeof text);
    if (length >= 0 || length == -ENOENT)
        parts_add(&call->parts, PART_FDINFO, 0, text, length < 0 ? 0 : (size_t)length);
}

/* The same of all fds of a call. */
static void add_fdinfo(const struct caller *caller, struct pending *call)
{
    add_fdinfo_of(caller, call, fd_position(&CALLS[call->row]));
    add_fdinfo_of(caller, call, CALLS[call->row].fd2);
}

/* LINK: what a pipe is called, which has no path; its fds are recorded without a name. */
static void add_pipe_name(const struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    char link[PROC_PATH];

    if (!row->fd || parts_find(&call->parts, PART_LINK))
        return;
    proc_fd_path(link, caller->tid, (int)argument(call, row->fd));
    add_link(&call->parts, PART_LINK, link);
}

/* LOCKS: who holds which lock now; the caller may have ended when its record is read. */
static void add_locks(struct pending *call)
{
    add_file(&call->parts, PART_LOCKS, "/proc/locks", LOCKS_SIZE);
}

/* HOLDER: who has the file of ETXTBSY open for writing, or runs it; who uses the mount of EBUSY. */
static void add_holder(struct context *context, const struct caller *caller, struct pending *call,
                       int64_t result)
{
    struct passed_path passed;
    char path[PROC_PATH];

    if (context->searches == SEARCHES_MAX || !find_path(context, caller, call, &passed))
        return;
    context->searches++;
    int fd = resolve_open(&passed.lookup, passed.text, passed.length, 0);
    if (fd < 0)
        return;
    proc_fd_path(path, getpid(), fd);
    pid_t pid = result == -EBUSY ? find_user(path) : find_holder(path);
    close(fd);
    char *room = pid ? parts_begin(&call->parts, sizeof pid + COMMAND_SIZE) : NULL;
    if (!room)
        return;
    memcpy(room, &pid, sizeof pid);
    proc_path(path, pid, "cmdline");
    ssize_t length = proc_file(path, room + sizeof pid, COMMAND_SIZE);
    parts_end(&call->parts, PART_HOLDER, 0, sizeof pid + (length < 0 ? 0 : (size_t)length));
}

/* -- limits ---------------------------------------------------------------------------------------- */

enum { ANY_GROUP = GROUP_COUNT };

/* Which limit may be why calls of a group fail so: getrlimit(2). */
static const struct {
    int error, group, resource;
} LIMITS[] = {
    { EMFILE, ANY_GROUP, RLIMIT_NOFILE },     { EAGAIN, GROUP_BIRTH, RLIMIT_NPROC },
    { EAGAIN, GROUP_EXEC, RLIMIT_NPROC },     { ENOMEM, ANY_GROUP, RLIMIT_AS },
    { ENOMEM, ANY_GROUP, RLIMIT_DATA },       { EFBIG, ANY_GROUP, RLIMIT_FSIZE },
    { ENOMEM, GROUP_PERMIT, RLIMIT_MEMLOCK }, { EPERM, GROUP_PERMIT, RLIMIT_MEMLOCK },
    { EFAULT, GROUP_EXEC, RLIMIT_AS },
};

static void add_limits(const struct caller *caller, struct pending *call, int error)
{
    struct rlimit64 found;

    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        if (LIMITS[i].error != error ||
            (LIMITS[i].group != ANY_GROUP && LIMITS[i].group != CALLS[call->row].group))
            continue;
        if (prlimit64(caller->tgid, LIMITS[i].resource, NULL, &found) < 0)
            return;
        struct raw_limit limit = { (uint64_t)LIMITS[i].resource, found.rlim_cur, found.rlim_max };
        parts_add(&call->parts, PART_LIMIT, 0, &limit, sizeof limit);
    }
}

/* ---------------------------------------------------------------------------------------------------- */

/* Whether a lock could not be had because another has it. */
static bool is_held(int64_t result)
{
    return result == -EAGAIN || result == -EACCES || result == -EDEADLK;
}

/* Whether the call was made in the gate, which had found nothing: what is there by now was made since. */
static bool is_past(const struct context *context)
{
    return context->folders;
}

static bool is_of_file_system(int64_t result)
{
    return result == -EROFS || result == -ENOSPC || result == -EDQUOT || result == -EXDEV ||
           result == -EBUSY || result == -ELOOP; /* a mount may be nosymfollow */
}

static bool is_umount(const struct pending *call)
{
    return call->row == ROW_umount || call->row == ROW_umount2;
}

/* Whether a call may be about what is no mount point. */
static bool mounts(const struct pending *call)
{
    return call->row == ROW_mount || is_umount(call);
}

/* STATUS of the child that setpgid(2) was about, which has another session or may lead one. */
static void add_member(const struct context *context, struct pending *call)
{
    pid_t pid = (pid_t)argument(call, 1);

    if (call->row == ROW_setpgid && pid > 0 && !context->pids_differ)
        add_status(&call->parts, pid);
}

/* VALUE: how many semaphores a set has; 0: there is none of that id. None if we may not ask. */
static void add_set(const struct caller *caller, struct pending *call)
{
    struct semid_ds found = { .sem_nsems = 0 };
    struct raw_stat own, its;
    char path[PROC_PATH];
    int32_t count = 0;

    proc_path(path, caller->tid, "ns/ipc");
    if (proc_stat("/proc/self/ns/ipc", &own) < 0 || proc_stat(path, &its) < 0 || own.ino != its.ino)
        return;
    if (semctl((int)argument(call, 1), 0, IPC_STAT, &found) == 0)
        count = (int32_t)found.sem_nsems;
    else if (errno != EINVAL && errno != EIDRM)
        return;
    parts_add(&call->parts, PART_VALUE, 0, &count, sizeof count);
}

/* Whether memory could not be locked: it is not there, or is more than RLIMIT_MEMLOCK with what is locked. */
static bool is_unlockable(const struct pending *call, int64_t result)
{
    return result == -ENOMEM && (call->row == ROW_mlock || call->row == ROW_mlock2);
}

/* Whether a call is about two paths, either of which may not be there. */
static bool is_mount(const struct call *row)
{
    return row->group == GROUP_PERMIT && row->path2;
}

/* Whether what is on the way, or what the path means, is of another type than it has to be. */
static bool is_of_file_type(int64_t result)
{
    return result == -ENOTDIR || result == -ELOOP || result == -ENXIO || result == -ECONNREFUSED;
}

void add_evidence(struct context *context, const struct caller *caller, struct pending *call,
                  int64_t result)
{
    bool runs = CALLS[call->row].group == GROUP_EXEC;
    bool refused = result == -EACCES || result == -EPERM;

    if (result == -ENOENT && !context->serves_files) {
        add_removed_folders(context, caller, call);
        add_target(context, caller, &call->parts);
    }
    if (refused || is_of_file_type(result) || (result == -ENOENT && is_mount(&CALLS[call->row])))
        add_way(context, caller, call, result);
    if (refused)
        add_member(context, call);
    if (refused || is_unlockable(call, result))
        add_status(&call->parts, caller->tid); /* of two parts of one kind the later one counts */
    if (result == -EINVAL && call->row == ROW_semctl)
        add_set(caller, call);
    if (runs && (refused || (result == -ENOENT && !is_past(context)) || result == -ENOEXEC ||
                 result == -ELOOP))
        add_head(context, caller, call);
    if (runs && result == -E2BIG)
        add_excess(caller, call);
    if (is_of_file_system(result) || (result == -EINVAL && mounts(call)) ||
        (refused && (runs || CALLS[call->row].group == GROUP_OPEN)))
        add_mounts(caller, call);
    if (result == -ENOSPC)
        add_space(context, caller, call);
    if (result == -EBADF || result == -EINVAL || (refused && is_mapping(&CALLS[call->row])))
        add_fdinfo(caller, call);
    if (result == -EPIPE)
        add_pipe_name(caller, call);
    if (CALLS[call->row].group == GROUP_LOCK && is_held(result))
        add_locks(call);
    if (result == -ETXTBSY || (result == -EBUSY && is_umount(call)))
        add_holder(context, caller, call, result);
    if (result < 0 && result >= -4095)
        add_limits(caller, call, (int)-result);
}
