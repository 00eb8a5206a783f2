/*
 * What the gate does before and after a call, in the program's own thread: it decides whether it may make
 * the call, counts its bytes, and writes its record. It trusts the words of fds that the tracer has
 * written, and leaves to the tracer whatever is not plain: before the call by having it traced, after it
 * by asking for its record. Both cost a stop, and both are right.
 *
 * The tracer may move the thread out of here at any instruction (relocate.h), and completes what it finds.
 * So what a call is known by is published by one store, and another one says before what that is:
 *
 *  1. A call that is tallied: `next` is written, then `tally`, then the sums of the tally.
 *  2. A call with a record: it is written behind `head`, then `record_end`, then `head`.
 *
 * Memory of the program is copied after a call that has succeeded: then the kernel has just used it. A copy
 * still fails if another thread unmaps it meanwhile; the tracer then leads the thread to the error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "gate/in_program.h"
#include "gate/records.h"
#include "record/record.h"

#define IN_ORDER __atomic_signal_fence(__ATOMIC_SEQ_CST) /* the CPU keeps the order of stores */
#define NO_FD (~(uint64_t)0)                             /* of calls that are only counted */

/* -- fds -------------------------------------------------------------------------------------- */

IN_THE_PROGRAM static enum gate_action action_of(const struct gate_slot *slot)
{
    uint64_t at = GATE_BASE + GATE_CODE_BYTES + slot->registers.rax;

    return *(const uint8_t *)(uintptr_t)at & ~GATE_PATHS;
}

IN_THE_PROGRAM static enum gate_path path_argument_of(const struct gate_slot *slot)
{
    uint64_t at = GATE_BASE + GATE_CODE_BYTES + slot->registers.rax;

    return *(const uint8_t *)(uintptr_t)at & GATE_PATHS;
}

IN_THE_PROGRAM static volatile uint64_t *word_of(const struct gate_slot *slot, uint32_t fd)
{
    return (volatile uint64_t *)(uintptr_t)slot->fds + fd;
}

IN_THE_PROGRAM static int has(const struct gate_slot *slot, uint64_t flags)
{
    return (slot->fd_word & flags) == flags;
}

/* The name of a file has just been asked for. */
IN_THE_PROGRAM static int is_fresh_word(uint64_t word, uint64_t now)
{
    const uint64_t fresh = GATE_FD_KNOWN | GATE_FD_FRESH;

    return (word & fresh) == fresh && GATE_FD_AGE(word, now) <= 1;
}

IN_THE_PROGRAM static int is_fresh(const struct gate_slot *slot)
{
    return is_fresh_word(slot->fd_word, slot->entered);
}

/* The fd of a call as a tally has it. */
IN_THE_PROGRAM static uint64_t fd_key(const struct gate_slot *slot)
{
    return GATE_FD_GENERATION(slot->fd_word) << GATE_FD_GENERATION_SHIFT |
           (uint32_t)slot->registers.rdi;
}

IN_THE_PROGRAM static int is_out(enum gate_action action)
{
    return action == GATE_OUT || action == GATE_OUT_VECTOR || action == GATE_SEND;
}

/* -- locks of files --------------------------------------------------------------------------- */

/*
 * Most writes take less than the first of these, some 10 µs. The second is longer than a traced write takes: if two
 * threads that write in turn did not wait for such a one, all their writes would be traced from then on.
 */
enum { SPIN_TICKS = 1 << 15, WAIT_TICKS = 1 << 19 };

/* False: another thread has it for long. */
IN_THE_PROGRAM static int take_lock(struct gate_slot *slot, uint64_t address)
{
    uint32_t *lock = (uint32_t *)(uintptr_t)address;
    uint64_t waited = 0;

    slot->lock = address;
    do {
        uint32_t unlocked = 0;
        if (waited > SPIN_TICKS)
            gate_make_call(SYS_sched_yield, 0, 0, 0, 0, 0);
        if (__atomic_compare_exchange_n(lock, &unlocked, (uint32_t)slot->self, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return 1;
        __builtin_ia32_pause();
        waited = __builtin_ia32_rdtsc() - slot->entered;
    } while (waited < WAIT_TICKS);
    slot->lock = 0;
    return 0;
}

IN_THE_PROGRAM static void give_lock(struct gate_slot *slot)
{
    if (!slot->lock)
        return;
    __atomic_store_n((uint32_t *)(uintptr_t)slot->lock, 0, __ATOMIC_RELEASE);
    IN_ORDER;
    slot->lock = 0;
}

/* Whether the thread may write to the file of its call, of which it has the lock then. */
IN_THE_PROGRAM static int lock_file(struct gate_slot *slot)
{
    const volatile struct gate_owned *owned = slot->owned;
    uint64_t fd = 1 + fd_key(slot);
    int i = 0;

    while (i < GATE_OWNED && owned[i].fd != fd)
        i++;
    if (i == GATE_OWNED || !take_lock(slot, owned[i].lock))
        return 0;
    if (owned[i].fd == fd)
        return 1;
    give_lock(slot); /* the tracer took the file away meanwhile */
    return 0;
}

/* -- records ---------------------------------------------------------------------------------- */

/* Where a record of at most so many bytes begins; NULL: the ring has no room. */
IN_THE_PROGRAM static struct gate_record *begin_record(struct gate_slot *slot, uint64_t most)
{
    uint64_t tail = __atomic_load_n(&slot->tail, __ATOMIC_ACQUIRE);
    uint64_t offset = slot->head & (slot->ring_size - 1), rest = slot->ring_size - offset;
    uint64_t start = slot->head + (most > rest ? rest : 0);

    if (start + most - tail > slot->ring_size)
        return NULL;
    if (start != slot->head) {
        struct gate_record *pad = (struct gate_record *)(uintptr_t)(slot->ring + offset);
        pad->size = (uint32_t)rest;
        pad->row = 0;
        pad->kind = GATE_PAD;
        pad->flags = 0;
        __atomic_store_n(&slot->head, start, __ATOMIC_RELEASE);
    }
    return (struct gate_record *)(uintptr_t)(slot->ring + (start & (slot->ring_size - 1)));
}

IN_THE_PROGRAM static void fill_record(const struct gate_slot *slot, struct gate_record *record,
                                       enum gate_kind kind)
{
    record->size = sizeof *record;
    record->row = (uint16_t)slot->registers.rax;
    record->kind = (uint8_t)kind;
    record->flags = 0;
    record->fd = (uint32_t)slot->registers.rdi;
    record->generation = (uint32_t)GATE_FD_GENERATION(slot->fd_word);
    record->entered = record->left = slot->entered;
    record->result = 0;
    record->args[0] = slot->registers.rdi;
    record->args[1] = slot->registers.rsi;
    record->args[2] = slot->registers.rdx;
    record->args[3] = slot->registers.r10;
    record->args[4] = slot->registers.r8;
    record->args[5] = slot->registers.r9;
    record->to_generation = record->copied = 0;
}

/* The same of a call that has returned at `left`. */
IN_THE_PROGRAM static void fill_returned(const struct gate_slot *slot, struct gate_record *record,
                                         uint64_t left)
{
    fill_record(slot, record, GATE_CALL);
    record->left = left;
    record->result = (int64_t)slot->result;
}

IN_THE_PROGRAM static void publish(struct gate_slot *slot, uint64_t bytes)
{
    __atomic_store_n(&slot->head, slot->head + bytes, __ATOMIC_RELEASE);
}

/*
 * Have the tracer look at the slot in its next round. The exchange is a barrier, too: if the tracer clears
 * `is_dirty` before it, it sees what was published before.
 */
IN_THE_PROGRAM static void mark(struct gate_slot *slot)
{
    if (!__atomic_exchange_n(&slot->is_dirty, 1, __ATOMIC_SEQ_CST))
        __atomic_fetch_or((uint64_t *)(uintptr_t)slot->dirty, slot->dirty_bit, __ATOMIC_SEQ_CST);
}

/* The record of the call itself, behind which nothing of it is left to do. */
IN_THE_PROGRAM static void publish_call(struct gate_slot *slot, uint64_t bytes)
{
    slot->record_end = slot->head + bytes;
    IN_ORDER;
    publish(slot, bytes);
}

/* -- tallies ---------------------------------------------------------------------------------- */

IN_THE_PROGRAM static void give_away(struct gate_tally *tally, uint64_t fd, uint64_t number)
{
    tally->version++;
    IN_ORDER;
    tally->sums.calls = tally->sums.bytes = tally->sums.ticks = 0;
    tally->fd = fd;
    tally->number = (uint32_t)number;
    IN_ORDER;
    tally->version++;
}

/* Write what a tally has; nothing of it is lost when it is given away then. False: the ring is full. */
IN_THE_PROGRAM static int write_tally(struct gate_slot *slot, uint64_t index, uint64_t now)
{
    const struct gate_tally *tally = &slot->tallies[index];
    struct gate_record *record = begin_record(slot, sizeof *record);

    if (!record)
        return 0;
    fill_record(slot, record, GATE_TALLY);
    record->row = (uint16_t)tally->number;
    record->fd = (uint32_t)tally->fd;
    record->generation = (uint32_t)GATE_FD_GENERATION(tally->fd);
    record->entered = record->left = now;
    record->args[0] = tally->sums.calls;
    record->args[1] = tally->sums.bytes;
    record->args[2] = tally->sums.ticks;
    record->args[3] = index;
    record->args[4] = tally->version;
    publish(slot, sizeof *record);
    return 1;
}

IN_THE_PROGRAM static int is_free(const struct gate_tally *tally)
{
    return !tally->sums.calls || tally->taken == GATE_TAKEN(tally->version, tally->sums.calls);
}

enum { PROBES = 4 };

IN_THE_PROGRAM static uint64_t probed(uint64_t fd, uint64_t probe)
{
    return (fd + probe) % GATE_TALLIES;
}

/* Have a place for the tally of a call's fd. Returns 1 + its index; 0: there is none. */
IN_THE_PROGRAM static uint64_t find_tally(struct gate_slot *slot, uint64_t fd)
{
    uint64_t number = slot->registers.rax, found = 0;

    for (uint64_t probe = 0; probe < PROBES; probe++) {
        uint64_t index = probed(fd, probe);
        const struct gate_tally *tally = &slot->tallies[index];
        if (tally->fd == fd && tally->number == number)
            return index + 1;
        if (!found && is_free(tally))
            found = index + 1;
    }
    if (!found && write_tally(slot, probed(fd, number), __builtin_ia32_rdtsc()))
        found = probed(fd, number) + 1;
    if (found)
        give_away(&slot->tallies[found - 1], fd, number);
    return found;
}

/* Count a call that has succeeded. False: there is no place for it. */
IN_THE_PROGRAM static int tally_call(struct gate_slot *slot, uint64_t fd, uint64_t bytes)
{
    uint64_t index = find_tally(slot, fd);

    if (!index)
        return 0;
    struct gate_sums *sums = &slot->tallies[index - 1].sums;
    slot->next.calls = sums->calls + 1;
    slot->next.bytes = sums->bytes + bytes;
    slot->next.ticks = sums->ticks + __builtin_ia32_rdtsc() - slot->entered;
    IN_ORDER;
    slot->tally = index;
    IN_ORDER;
    sums->calls = slot->next.calls;
    sums->bytes = slot->next.bytes;
    sums->ticks = slot->next.ticks;
    return 1;
}

/* -- close ------------------------------------------------------------------------------------ */

/* Write the tallies of an fd before it is closed. */
IN_THE_PROGRAM static int write_tallies(struct gate_slot *slot, uint64_t fd)
{
    for (uint64_t probe = 0; probe < PROBES; probe++) {
        struct gate_tally *tally = &slot->tallies[probed(fd, probe)];
        if (tally->fd != fd || !tally->sums.calls)
            continue;
        if (!write_tally(slot, probed(fd, probe), slot->entered))
            return 0;
        give_away(tally, NO_FD, 0);
    }
    return 1;
}

/* The record is published before the call is made: afterwards another thread may have the number. */
IN_THE_PROGRAM static int before_close(struct gate_slot *slot)
{
    uint32_t fd = (uint32_t)slot->registers.rdi;

    if (!is_fresh(slot) || !write_tallies(slot, fd_key(slot)))
        return 1;
    struct gate_record *record = begin_record(slot, sizeof *record);
    if (!record)
        return 1;
    fill_record(slot, record, GATE_CALL);
    record->flags = GATE_BEFORE_CALL;
    *word_of(slot, fd) = (GATE_FD_GENERATION(slot->fd_word) + 1) << GATE_FD_GENERATION_SHIFT;
    publish_call(slot, sizeof *record);
    mark(slot);
    return 0;
}

/* -- parts ------------------------------------------------------------------------------------ */

/* A part of a record that grows: raw_part, and room for `most` bytes. */
IN_THE_PROGRAM static struct raw_part *next_part(struct gate_record *record,
                                                 enum raw_part_kind kind)
{
    struct raw_part *part = (struct raw_part *)(record->payload + record->copied);

    part->kind = (uint16_t)kind;
    part->flags = 0;
    return part;
}

/* False: it is longer than it can be, or could not be read. */
IN_THE_PROGRAM static int end_part(struct gate_record *record, struct raw_part *part, int64_t size,
                                   int64_t most)
{
    if (size < 0 || size >= most)
        return 0;
    part->size = (uint32_t)size;
    for (uint32_t at = (uint32_t)size; at % 8; at++)
        part->bytes[at] = 0;
    record->copied += sizeof *part + RAW_ALIGN(part->size);
    return 1;
}

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
IN_THE_PROGRAM static int prepare_try(struct gate_slot *slot, enum gate_action action)
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

enum { PATH_MOST = 4096, LINK_NAME_BYTES = 40 };

IN_THE_PROGRAM static int add_path(const struct gate_slot *slot, struct gate_record *record)
{
    struct raw_part *part = next_part(record, PART_PATH);
    int first = path_argument_of(slot) == GATE_PATH_1;
    uint64_t path = first ? slot->registers.rdi : slot->registers.rsi;

    return end_part(record, part, gate_copy_text(part->bytes, path, PATH_MOST), PATH_MOST);
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

IN_THE_PROGRAM static int add_link(const struct gate_slot *slot, struct gate_record *record)
{
    struct raw_part *part = next_part(record, PART_LINK);
    _Alignas(8) uint8_t name[LINK_NAME_BYTES];

    write_link_name(name, (uint32_t)slot->result);
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
IN_THE_PROGRAM static int add_stat(const struct gate_slot *slot, struct gate_record *record)
{
    struct raw_part *part = next_part(record, PART_STAT);
    struct raw_stat *stat = (struct raw_stat *)part->bytes;
    struct stat found;

    if (gate_make_call(SYS_fstat, slot->result, (uintptr_t)&found, 0, 0, 0) ||
        S_ISCHR(found.st_mode))
        return 0;
    stat->dev = found.st_dev;
    stat->ino = found.st_ino;
    stat->size = (uint64_t)found.st_size;
    stat->rdev = found.st_rdev;
    stat->mode = found.st_mode;
    stat->uid = found.st_uid;
    stat->gid = found.st_gid;
    stat->links = (uint32_t)found.st_nlink;
    stat->born_ns = !found.st_size && may_create(slot) ? birth_of(slot->result) : 0;
    return end_part(record, part, sizeof *stat, PATH_MOST);
}

/* False: the tracer has to record it. */
IN_THE_PROGRAM static int after_open(struct gate_slot *slot)
{
    enum { MOST = sizeof(struct gate_record) + 2 * PATH_MOST + 128 };
    uint64_t left = __builtin_ia32_rdtsc();
    uint32_t fd = (uint32_t)slot->result;
    struct gate_record *record = fd < slot->fds_size ? begin_record(slot, MOST) : NULL;

    if (!record)
        return 0;
    slot->fd_word = *word_of(slot, fd);
    fill_returned(slot, record, left);
    record->fd = fd;
    record->generation++;
    if (!add_path(slot, record) || (!slot->try.is_made && !add_link(slot, record)) ||
        !add_stat(slot, record))
        return 0;
    record->size = (uint32_t)sizeof *record + record->copied;
    *word_of(slot, fd) = (uint64_t)record->generation << GATE_FD_GENERATION_SHIFT |
                         GATE_FD_TIME(left) << GATE_FD_TIME_SHIFT | GATE_FD_KNOWN | GATE_FD_FRESH;
    publish_call(slot, record->size);
    return 1;
}

/* -- paths that lead to nothing, or do so now ---------------------------------------------------- */

/*
 * Whether the tracer can find out in its next round what a path has meant: all that changes folders begins with
 * a round, but a process in /proc may have ended by then, and an fd may have been closed.
 */
IN_THE_PROGRAM static int is_lasting(const struct gate_slot *slot, const struct raw_part *path)
{
    const uint64_t proc = 0x2f636f72702f; /* "/proc/" */
    uint64_t start = 0;

    for (uint32_t i = 0; i < 6 && i < path->size; i++)
        start |= (uint64_t)path->bytes[i] << i * 8;
    if ((uint8_t)start == '/')
        return start != proc;
    return slot->missing == GATE_MISSING_ALL &&
           (path_argument_of(slot) == GATE_PATH_1 ||
            (uint32_t)slot->registers.rdi == (uint32_t)AT_FDCWD);
}

/*
 * A link that is removed may be on the way of a path whose name is looked for in the next round. So the tracer
 * is to see it go, and all but files with it.
 */
IN_THE_PROGRAM static int before_unlink(const struct gate_slot *slot)
{
    struct stat found;
    int64_t result = gate_make_call(SYS_lstat, slot->registers.rdi, (uintptr_t)&found, 0, 0, 0);

    return !slot->missing || (result != -ENOENT && (result || !S_ISREG(found.st_mode)));
}

/* Record a call that has failed with ENOENT, or has removed a name. False: the tracer has to. */
IN_THE_PROGRAM static int record_path(struct gate_slot *slot)
{
    enum { MOST = sizeof(struct gate_record) + sizeof(struct raw_part) + PATH_MOST };
    uint64_t left = __builtin_ia32_rdtsc();
    struct gate_record *record =
        slot->missing && path_argument_of(slot) ? begin_record(slot, MOST) : NULL;

    if (!record)
        return 0;
    fill_returned(slot, record, left);
    if (!add_path(slot, record) || !is_lasting(slot, (struct raw_part *)record->payload))
        return 0;
    record->size += record->copied;
    publish_call(slot, record->size);
    return 1;
}

/* -- bytes ------------------------------------------------------------------------------------ */

enum { VECTOR_MOST = 16 }; /* buffers; for more the stack has no room */

/* Join the first `size` bytes of the buffers of a call. Negative: they cannot be copied here. */
IN_THE_PROGRAM static int64_t copy_vector(const struct gate_slot *slot, uint8_t *to, uint64_t size)
{
    struct {
        uint64_t base, length;
    } buffers[VECTOR_MOST];
    uint64_t count = (uint32_t)slot->registers.rdx;

    if (count > VECTOR_MOST ||
        gate_copy_bytes((uint8_t *)buffers, slot->registers.rsi, count * sizeof *buffers))
        return -1;
    for (uint64_t i = 0; i < count && size; i++) {
        uint64_t most = buffers[i].length < size ? buffers[i].length : size;
        if (gate_copy_bytes(to, buffers[i].base, most))
            return -1;
        to += most;
        size -= most;
    }
    return size ? -1 : 0;
}

IN_THE_PROGRAM static int64_t copy_transferred(const struct gate_slot *slot, uint8_t *to,
                                               uint64_t size)
{
    enum gate_action action = action_of(slot);

    return action == GATE_OUT_VECTOR || action == GATE_IN_VECTOR
               ? copy_vector(slot, to, size)
               : gate_copy_bytes(to, slot->registers.rsi, size);
}

/* Record a call that has transferred bytes, with them. False: the tracer has to. */
IN_THE_PROGRAM static int record_bytes(struct gate_slot *slot, uint64_t left)
{
    enum { HEAD = sizeof(struct gate_record) + sizeof(struct raw_part) };
    uint64_t bytes = slot->result;
    uint64_t limit = has(slot, GATE_FD_STREAM) ? slot->stream_limit : slot->copy_limit;
    uint64_t size = bytes < limit ? bytes : limit;
    struct gate_record *record =
        size <= GATE_RECORD_MAX - HEAD ? begin_record(slot, HEAD + (size + 7) / 8 * 8) : NULL;

    if (!record)
        return 0;
    fill_returned(slot, record, left);
    struct raw_part *part = next_part(record, PART_DATA);
    part->flags = size < bytes ? PART_CUT : 0;
    if (copy_transferred(slot, part->bytes, size) ||
        !end_part(record, part, (int64_t)size, GATE_RECORD_MAX))
        return 0;
    record->size += record->copied;
    publish_call(slot, record->size);
    return 1;
}

/* Whether a call on a socket says no more than which bytes: no address, no flag that makes them others. */
IN_THE_PROGRAM static int is_plain(const struct gate_slot *slot, enum gate_action action)
{
    const uint64_t plain = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_WAITALL;

    return (action != GATE_SEND && action != GATE_RECEIVE) ||
           (!(slot->registers.r10 & ~plain) && !slot->registers.r8);
}

/* Begin the record of a call on an fd without bytes. NULL: an fd was `changed`, or there is no room. */
IN_THE_PROGRAM static struct gate_record *begin_about(struct gate_slot *slot, uint32_t fd,
                                                      uint64_t changed, uint64_t left)
{
    struct gate_record *record =
        GATE_FD_GENERATION(changed) ? NULL : begin_record(slot, sizeof *record);

    if (record) {
        fill_returned(slot, record, left);
        record->fd = fd;
    }
    return record;
}

/* -- files that are changed or mapped ------------------------------------------------------------ */

/* Whether a mapping is one that WHEN_MAPS_FILE watches. */
IN_THE_PROGRAM static int maps_file(const struct gate_slot *slot)
{
    const uint32_t over = MAP_FIXED | MAP_DENYWRITE;
    uint32_t flags = (uint32_t)slot->registers.r10;

    return !(flags & MAP_ANONYMOUS) && (flags & over) != over;
}

/* Whether a mapping is watched, and neither that of a ring nor over the gate. */
IN_THE_PROGRAM static int may_map(const struct gate_slot *slot)
{
    uint32_t flags = (uint32_t)slot->registers.r10;

    return (maps_file(slot) || slot->registers.rsi >= GATE_LARGE_BYTES) &&
           flags != (MAP_SHARED | MAP_POPULATE) &&
           !(flags & MAP_FIXED && slot->registers.rdi < GATE_MAPPINGS_END);
}

IN_THE_PROGRAM static uint32_t file_of(const struct gate_slot *slot)
{
    return (uint32_t)(action_of(slot) == GATE_MAP ? slot->registers.r8 : slot->registers.rdi);
}

IN_THE_PROGRAM static int before_file(struct gate_slot *slot)
{
    uint32_t fd = file_of(slot);

    if (action_of(slot) == GATE_MAP && !maps_file(slot))
        return 0;
    if (fd >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, fd);
    return action_of(slot) == GATE_MAP ? !has(slot, GATE_FD_KNOWN) : !is_fresh(slot);
}

/* False: the tracer has to record it. */
IN_THE_PROGRAM static int after_file(struct gate_slot *slot)
{
    uint64_t left = __builtin_ia32_rdtsc();

    if (action_of(slot) == GATE_MAP && !maps_file(slot))
        return 1;
    uint64_t changed = *word_of(slot, file_of(slot)) ^ slot->fd_word;
    struct gate_record *record = begin_about(slot, file_of(slot), changed, left);

    if (record)
        publish_call(slot, sizeof *record);
    return record != NULL;
}

/* -- from fd to fd ----------------------------------------------------------------------------- */

IN_THE_PROGRAM static int is_across(enum gate_action action)
{
    return action == GATE_COPY || action == GATE_SENDFILE;
}

IN_THE_PROGRAM static uint32_t source_of(const struct gate_slot *slot)
{
    return (uint32_t)(action_of(slot) == GATE_COPY ? slot->registers.rdi : slot->registers.rsi);
}

IN_THE_PROGRAM static uint32_t target_of(const struct gate_slot *slot)
{
    return (uint32_t)(action_of(slot) == GATE_COPY ? slot->registers.rdx : slot->registers.rdi);
}

/* Whether the tracer is to see a transfer from one fd to another. */
IN_THE_PROGRAM static int before_across(struct gate_slot *slot)
{
    uint32_t from = source_of(slot), to = target_of(slot);

    if (from >= slot->fds_size || to >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, from);
    slot->to_word = *word_of(slot, to);
    return !has(slot, GATE_FD_KNOWN) ||
           !(slot->to_word & GATE_FD_STREAM || is_fresh_word(slot->to_word, slot->entered));
}

/* Record how much was copied, if anything. False: the tracer has to. */
IN_THE_PROGRAM static int after_across(struct gate_slot *slot)
{
    uint64_t left = __builtin_ia32_rdtsc();
    uint32_t from = source_of(slot);
    uint64_t changed =
        (*word_of(slot, from) ^ slot->fd_word) | (*word_of(slot, target_of(slot)) ^ slot->to_word);
    struct gate_record *record = begin_about(slot, from, changed, left);

    if (!record)
        return 0;
    record->to_generation = (uint32_t)GATE_FD_GENERATION(slot->to_word);
    publish_call(slot, sizeof *record);
    return 1;
}

/* ---------------------------------------------------------------------------------------------- */

/* Whether the tracer is to see a transfer. */
IN_THE_PROGRAM static int before_transfer(struct gate_slot *slot, enum gate_action action)
{
    if (has(slot, GATE_FD_STREAM))
        return !is_plain(slot, action) || (is_out(action) && !has(slot, GATE_FD_ENDS));
    if (action == GATE_SEND || action == GATE_RECEIVE)
        return 1;
    if (is_out(action))
        return !is_fresh(slot) || !(has(slot, GATE_FD_MUTED) || lock_file(slot));
    return !has(slot, GATE_FD_KNOWN);
}

/* Commands of fcntl(2) that are watched for their failures. */
IN_THE_PROGRAM static int locks(const struct gate_slot *slot)
{
    uint32_t command = (uint32_t)slot->registers.rsi;

    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW;
}

/* enum gate_how: who makes the call. */
IN_THE_PROGRAM int gate_before(struct gate_slot *slot)
{
    enum gate_action action = action_of(slot);
    uint32_t fd = (uint32_t)slot->registers.rdi;

    if (slot->mode == GATE_TRACED || (action == GATE_WATCH_LOCKS && !locks(slot)) ||
        (action == GATE_MAP && !may_map(slot)))
        return GATE_TRACE_CALL;
    slot->tally = slot->record_end = 0;
    slot->entered = __builtin_ia32_rdtsc();
    if (action == GATE_OPEN || action == GATE_OPENAT)
        return prepare_try(slot, action) ? GATE_TRY : GATE_MAKE;
    if (slot->mode == GATE_PASS || action >= GATE_COUNT)
        return GATE_MAKE;
    if (action == GATE_UNLINK)
        return before_unlink(slot);
    if (action > GATE_CLOSE)
        return before_file(slot);
    if (is_across(action))
        return before_across(slot);
    if (fd >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, fd);
    return action == GATE_CLOSE ? before_close(slot) : before_transfer(slot, action);
}

/* Another thread has closed the fd meanwhile, and the number may be another file's. */
IN_THE_PROGRAM static int was_given_away(const struct gate_slot *slot)
{
    uint64_t word = *word_of(slot, (uint32_t)slot->registers.rdi);

    return GATE_FD_GENERATION(word ^ slot->fd_word) != 0;
}

IN_THE_PROGRAM static int after_transfer(struct gate_slot *slot, enum gate_action action)
{
    uint64_t left = __builtin_ia32_rdtsc();
    int64_t result = (int64_t)slot->result;

    if (result == -EAGAIN || result == -EINTR) /* nothing was transferred, nor has it failed */
        return 1;
    if (result < 0)
        return 0;
    if (is_across(action))
        return after_across(slot);
    if (was_given_away(slot))
        return 0;
    if (!result && !is_out(action) && has(slot, GATE_FD_STREAM))
        return 0; /* its end, or there is no room in the buffers */
    if (result && !has(slot, GATE_FD_MUTED) && (is_out(action) || has(slot, GATE_FD_STREAM)))
        return record_bytes(slot, left);
    return tally_call(slot, fd_key(slot), slot->result);
}

/* Calls about an fd, not about a name, are not counted. */
IN_THE_PROGRAM static int is_about_fd(const struct gate_slot *slot, enum gate_action action)
{
    return (action == GATE_COUNT_NAMED_4 && slot->registers.r10 & AT_EMPTY_PATH) ||
           (action == GATE_COUNT_NAMED_3 && slot->registers.rdx & AT_EMPTY_PATH);
}

/* Whether an error is an answer, which is counted as a success is. */
IN_THE_PROGRAM static int is_answer(enum gate_action action, int64_t result)
{
    return action == GATE_COUNT_LINK && result == -EINVAL;
}

/* Count or record a call that has returned. False: the tracer has to record it. */
IN_THE_PROGRAM static int record_call(struct gate_slot *slot)
{
    enum gate_action action = action_of(slot);

    if (action == GATE_CLOSE || is_about_fd(slot, action))
        return 1;
    if (action < GATE_CLOSE)
        return after_transfer(slot, action);
    if ((int64_t)slot->result < 0 && !is_answer(action, (int64_t)slot->result))
        return (int64_t)slot->result == -ENOENT && record_path(slot);
    if (action >= GATE_WATCH)
        return 1;
    if (action >= GATE_COUNT)
        return tally_call(slot, NO_FD, 0);
    if (action == GATE_UNLINK)
        return record_path(slot);
    return action == GATE_OPEN || action == GATE_OPENAT ? after_open(slot) : after_file(slot);
}

/* Whether the tracer is to record the call, which has returned, or to verify its record. */
IN_THE_PROGRAM int gate_after(struct gate_slot *slot)
{
    if (slot->mode >= GATE_RECORD && !record_call(slot))
        return 1;
    if (slot->lock) {
        mark(slot); /* a round that takes the next write to this file takes this one, too */
        give_lock(slot);
    }
    IN_ORDER;
    slot->made++;
    slot->phase = GATE_COMMITTED;
    mark(slot);
    return slot->mode == GATE_VERIFY && slot->made % GATE_SAMPLE == 0;
}
