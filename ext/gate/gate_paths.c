/* Calls on names: what is opened, what is not there, what is removed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>

#include "gate/gate_calls.h"

/* -- open ------------------------------------------------------------------------------------- */

/* Flags that open(2) and openat2(2) take alike. The former ignores those that it does not know. */
enum {
    TRIED_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK |
                  O_DSYNC | O_DIRECT | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_SYNC,
    LARGE_FILE = 0100000, /* O_LARGEFILE, which is 0 here: the kernel sets it */
    TRIED_MODES = 07777,
};

/* Whether the tracer knows the name of the folder that a path may start from. */
IN_THE_PROGRAM static int is_known_folder(const struct gate_slot *slot, uint64_t dirfd)
{
    return (uint32_t)dirfd == (uint32_t)AT_FDCWD ||
           ((uint32_t)dirfd < slot->fds_size && *word_of(slot, (uint32_t)dirfd) & GATE_FD_KNOWN);
}

/* Whether to try an open as openat2(2): then its name follows from its path. */
IN_THE_PROGRAM int prepare_try(struct gate_slot *slot, enum gate_action action)
{
    const struct gate_registers *registers = &slot->registers;
    int at = action == GATE_OPENAT;
    uint64_t flags = (uint32_t)(at ? registers->rdx : registers->rsi) & ~(uint64_t)LARGE_FILE;
    uint64_t mode = at ? registers->r10 : registers->rdx;

    slot->try.is_made = 0;
    slot->try.dirfd = at ? registers->rdi : (uint64_t)AT_FDCWD;
    if (!slot->may_try || flags & ~(uint64_t)TRIED_FLAGS || !is_known_folder(slot, slot->try.dirfd))
        return 0;
    slot->try.path = at ? registers->rsi : registers->rdi;
    slot->try.flags = flags;
    slot->try.mode = flags & O_CREAT ? mode & TRIED_MODES : 0;
    slot->try.resolve = RESOLVE_NO_SYMLINKS;
    slot->try.is_made = 1;
    return 1;
}

enum { LINK_NAME_BYTES = 40 };

IN_THE_PROGRAM static int add_text(struct gate_record *record, enum raw_part_kind kind,
                                   uint64_t address)
{
    struct raw_part *part = next_part(record, kind);

    return end_part(record, part, gate_copy_text(part->bytes, address, PATH_MOST), PATH_MOST);
}

/* The address of the path of a call; of link(2) the first one. */
IN_THE_PROGRAM static uint64_t path_of(const struct gate_slot *slot)
{
    return path_argument_of(slot) == GATE_PATH_2 ? slot->registers.rsi : slot->registers.rdi;
}

IN_THE_PROGRAM static int add_path(const struct gate_slot *slot, struct gate_record *record)
{
    return add_text(record, PART_PATH, path_of(slot));
}

/* Write the name "/proc/thread-self/fd/N": a string of C would not be copied into the program. */
IN_THE_PROGRAM static void write_link_name(uint8_t *name, uint32_t fd)
{
    uint64_t *words = (uint64_t *)name;
    uint32_t digits = 1;

    words[0] = 0x68742f636f72702f; /* "/proc/th" */
    words[1] = 0x6c65732d64616572; /* "read-sel" */
    words[2] = 0x2f64662f66;       /* "f/fd/" */
    for (uint32_t rest = fd; rest >= 10; rest /= 10)
        digits++;
    uint8_t *at = name + 21 + digits;
    *at = 0;
    do
        *--at = (uint8_t)('0' + fd % 10);
    while (fd /= 10);
}

IN_THE_PROGRAM int write_link(struct gate_record *record, uint32_t fd)
{
    struct raw_part *part = next_part(record, PART_LINK);
    _Alignas(8) uint8_t name[LINK_NAME_BYTES];

    write_link_name(name, fd);
    int64_t size =
        gate_make_call(SYS_readlink, (uintptr_t)name, (uintptr_t)part->bytes, PATH_MOST, 0, 0);
    return end_part(record, part, size, PATH_MOST);
}

/* Whether an open may create its file without saying so. */
IN_THE_PROGRAM static int may_create(const struct gate_slot *slot)
{
    uint64_t flags = action_of(slot) == GATE_OPEN ? slot->registers.rsi : slot->registers.rdx;

    return (flags & (O_CREAT | O_EXCL)) == O_CREAT;
}

/* When a file was created, in ns of Unix time; 0: its file system does not know. */
IN_THE_PROGRAM static uint64_t birth_of(uint64_t fd)
{
    struct statx found;
    uint64_t nothing = 0; /* a path: a string of C would not be copied into the program */

    if (gate_make_call(SYS_statx, fd, (uintptr_t)&nothing, AT_EMPTY_PATH | AT_STATX_DONT_SYNC,
                       STATX_BTIME, (uintptr_t)&found) ||
        !(found.stx_mask & STATX_BTIME))
        return 0;
    return (uint64_t)found.stx_btime.tv_sec * 1000000000 + found.stx_btime.tv_nsec;
}

/* Of a device there is more to know: the tracer records it. */
IN_THE_PROGRAM static int add_opened(const struct gate_slot *slot, struct gate_record *record)
{
    struct raw_stat *stat;

    if (!write_stat(record, record->fd, &stat) || S_ISCHR(stat->mode))
        return 0;
    if (!stat->size && may_create(slot))
        stat->born_ns = birth_of(slot->result);
    return 1;
}

/*
 * Behind a record whose path the next round follows: until then no folder is removed without a stop, nor made if the one
 * is `missing` that the path leads through. Unless the slot is marked before, a round could take that back before it looks at it.
 */
IN_THE_PROGRAM static int say_path_waits(struct gate_slot *slot, int missing)
{
    mark_slot(slot);
    if (missing)
        __atomic_store_n((uint8_t *)(uintptr_t)GATE_LOOKED_IN_VAIN, 1, __ATOMIC_RELEASE);
    __atomic_store_n((uint8_t *)(uintptr_t)GATE_PATH_WAITS, 1, __ATOMIC_RELEASE);
    return 1;
}

/* False: the tracer has to record it. */
IN_THE_PROGRAM int after_open(struct gate_slot *slot)
{
    enum { MOST = sizeof(struct gate_record) + 2 * PATH_MOST + 128 };
    const uint64_t flags = GATE_FD_KNOWN | GATE_FD_FRESH;
    struct gate_record *record = begin_made(slot, MOST);

    if (!record || !add_path(slot, record) ||
        (!slot->try.is_made && !write_link(record, record->fd)) || !add_opened(slot, record))
        return 0;
    publish_made(slot, record, GATE_FD_TIME(record->left) << GATE_FD_TIME_SHIFT | flags);
    return say_path_waits(slot, 0);
}

/* -- paths that lead to nothing, or do so now ---------------------------------------------------- */

/* Whether a folder by whose fd a path starts lasts: the tracer is to see from now on that the fd is closed. */
IN_THE_PROGRAM static int keep_folder(struct gate_slot *slot)
{
    enum { PROC = 0x9fa0 }; /* PROC_SUPER_MAGIC of linux/magic.h */
    struct statfs found;

    if (!has(slot, GATE_FD_KNOWN) || has(slot, GATE_FD_FOLDER))
        return has(slot, GATE_FD_KNOWN);
    if (gate_make_call(SYS_fstatfs, slot->registers.rdi, (uintptr_t)&found, 0, 0, 0) ||
        found.f_type == PROC)
        return 0;
    change_word(slot, GATE_FD_FOLDER, 0);
    return 1;
}

/*
 * Whether the tracer can find out in its next round what a path has meant: all that changes folders begins with
 * a round, but a process in /proc may have ended by then.
 */
IN_THE_PROGRAM static int is_lasting(struct gate_slot *slot, const struct raw_part *path,
                                     int from_cwd)
{
    const uint64_t proc = 0x2f636f72702f; /* "/proc/" */
    uint64_t start = 0;

    for (uint32_t i = 0; i < 6 && i < path->size; i++)
        start |= (uint64_t)path->bytes[i] << i * 8;
    if ((uint8_t)start == '/')
        return start != proc;
    if (from_cwd)
        return slot->missing == GATE_MISSING_ALL;
    return path->size && keep_folder(slot);
}

/* What newfstatat(2) says of a path that starts where that of the call does. */
IN_THE_PROGRAM static int64_t look_at(const struct gate_slot *slot, uint64_t path, uint64_t flags,
                                      struct stat *found_out)
{
    int at = path_argument_of(slot) == GATE_PATH_2;

    return gate_make_call(SYS_newfstatat, at ? slot->registers.rdi : (uint64_t)AT_FDCWD, path,
                          (uintptr_t)found_out, flags, 0);
}

/*
 * A symbolic link that is removed, or has one name more, may be on the way of a path whose name is looked for in the
 * next round. So the tracer is to see that, and all but files with it.
 */
IN_THE_PROGRAM static int before_unlink(const struct gate_slot *slot)
{
    uint32_t flags = path_argument_of(slot) == GATE_PATH_2 ? (uint32_t)slot->registers.rdx : 0;
    struct stat found;

    if (!slot->missing || flags & ~(uint32_t)AT_REMOVEDIR)
        return 1;
    if (flags || slot->registers.rax == SYS_rmdir)
        return __atomic_load_n((uint8_t *)(uintptr_t)GATE_PATH_WAITS, __ATOMIC_ACQUIRE);
    int64_t result = look_at(slot, path_of(slot), AT_SYMLINK_NOFOLLOW, &found);
    return result != -ENOENT && (result || !S_ISREG(found.st_mode));
}

/* The tracer is to see a start of a program, but none that will fail as execvp(3) tries one folder after the other. */
IN_THE_PROGRAM static int before_exec(const struct gate_slot *slot)
{
    struct stat found;

    return !slot->missing || look_at(slot, path_of(slot), 0, &found) != -ENOENT;
}

/* -- what led to nothing, and what is made there -- */

/* A folder may be the one that was missing on a path of which a record waits: then the tracer is to see it. */
IN_THE_PROGRAM static int before_mkdir(struct gate_slot *slot)
{
    slot->makes_folders = 1;
    return !slot->missing ||
           __atomic_load_n((uint8_t *)(uintptr_t)GATE_LOOKED_IN_VAIN, __ATOMIC_ACQUIRE);
}

/*
 * Whether a path that has led to nothing may have done so as the folder is missing in which its last name would be. A thread
 * that makes folders has a look, so that they need not wait for the next round.
 */
IN_THE_PROGRAM static int misses_folder(const struct gate_slot *slot, struct raw_part *path)
{
    uint32_t end = path->size;
    struct stat found;

    if (!slot->makes_folders)
        return 1;
    while (end && path->bytes[end - 1] != '/')
        end--;
    if (end <= 1)
        return 0;
    path->bytes[end - 1] = 0;
    int64_t result = look_at(slot, (uintptr_t)path->bytes, 0, &found);
    path->bytes[end - 1] = '/';
    return result != 0;
}

IN_THE_PROGRAM int before_name(struct gate_slot *slot, enum gate_action action)
{
    if (action == GATE_ALTER)
        return GATE_MAKE;
    if (action == GATE_EXEC)
        return before_exec(slot);
    return action == GATE_MKDIR ? before_mkdir(slot) : before_unlink(slot);
}

/* What the word of the fd says from whose folder a path may start. */
IN_THE_PROGRAM static uint64_t folder_word(const struct gate_slot *slot)
{
    uint32_t fd = (uint32_t)slot->registers.rdi;

    return path_argument_of(slot) == GATE_PATH_2 && fd < slot->fds_size ? *word_of(slot, fd) : 0;
}

/* Record a call that has failed with ENOENT, removed a name or changed a file. False: the tracer has to. */
IN_THE_PROGRAM int record_path(struct gate_slot *slot)
{
    enum { MOST = sizeof(struct gate_record) + sizeof(struct raw_part) + PATH_MOST };
    uint64_t left = now_ticks();
    struct gate_record *record =
        slot->missing && path_argument_of(slot) ? begin_record(slot, MOST) : NULL;

    if (!record)
        return 0;
    slot->fd_word = folder_word(slot);
    fill_returned(slot, record, left);
    int from_cwd = path_argument_of(slot) == GATE_PATH_1 ||
                   (uint32_t)slot->registers.rdi == (uint32_t)AT_FDCWD;
    if (!add_path(slot, record) || !is_lasting(slot, (struct raw_part *)record->payload, from_cwd))
        return 0;
    int missing =
        (int64_t)slot->result == -ENOENT && misses_folder(slot, (struct raw_part *)record->payload);
    publish_with_payload(slot, record);
    return say_path_waits(slot, missing);
}

IN_THE_PROGRAM int record_link(struct gate_slot *slot)
{
    enum { MOST = sizeof(struct gate_record) + 2 * (sizeof(struct raw_part) + PATH_MOST) };
    uint64_t left = now_ticks();
    struct gate_record *record = begin_record(slot, MOST);

    if (!record)
        return 0;
    fill_returned(slot, record, left);
    if (!add_text(record, PART_PATH, slot->registers.rdi) ||
        !is_lasting(slot, (struct raw_part *)record->payload, 1))
        return 0;
    const struct raw_part *second = (struct raw_part *)(record->payload + record->copied);
    if (!add_text(record, PART_PATH2, slot->registers.rsi) || !is_lasting(slot, second, 1))
        return 0;
    publish_with_payload(slot, record);
    return say_path_waits(slot, 0);
}
