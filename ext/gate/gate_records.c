/* The records that the code in the program writes into the ring of its thread, and the tallies of its slot. */
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "gate/gate_calls.h"

/* -- records ---------------------------------------------------------------------------------- */

IN_THE_PROGRAM struct gate_record *begin_record(struct gate_slot *slot, uint64_t most)
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

IN_THE_PROGRAM void fill_record(const struct gate_slot *slot, struct gate_record *record,
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

IN_THE_PROGRAM void fill_returned(const struct gate_slot *slot, struct gate_record *record,
                                  uint64_t left)
{
    fill_record(slot, record, GATE_CALL);
    record->left = left;
    record->result = (int64_t)slot->result;
}

IN_THE_PROGRAM struct gate_record *begin_about(struct gate_slot *slot, uint32_t fd,
                                               uint64_t changed, uint64_t left, uint64_t most)
{
    struct gate_record *record = GATE_FD_GENERATION(changed) ? NULL : begin_record(slot, most);

    if (record) {
        fill_returned(slot, record, left);
        record->fd = fd;
    }
    return record;
}

IN_THE_PROGRAM static void publish(struct gate_slot *slot, uint64_t bytes)
{
    __atomic_store_n(&slot->head, slot->head + bytes, __ATOMIC_RELEASE);
}

IN_THE_PROGRAM struct gate_record *begin_made(struct gate_slot *slot, uint64_t most)
{
    uint64_t left = now_ticks();
    uint32_t fd = (uint32_t)slot->result;
    struct gate_record *record = fd < slot->fds_size ? begin_record(slot, most) : NULL;

    if (!record)
        return NULL;
    slot->fd_word = *word_of(slot, fd);
    fill_returned(slot, record, left);
    record->fd = fd;
    record->generation++;
    return record;
}

/*
 * The exchange is a barrier: if the tracer clears `is_dirty` before it, it sees what was published before. Without
 * it the tracer may clear `is_dirty` and not see that yet: so it looks once more in the next round.
 */
IN_THE_PROGRAM void mark_slot(struct gate_slot *slot)
{
    if (__atomic_load_n(&slot->is_dirty, __ATOMIC_RELAXED))
        return;
    if (!__atomic_exchange_n(&slot->is_dirty, 1, __ATOMIC_SEQ_CST))
        __atomic_fetch_or((uint64_t *)(uintptr_t)slot->dirty, slot->dirty_bit, __ATOMIC_SEQ_CST);
}

IN_THE_PROGRAM void publish_call(struct gate_slot *slot, uint64_t bytes)
{
    slot->record_end = slot->head + bytes;
    IN_ORDER;
    publish(slot, bytes);
}

IN_THE_PROGRAM int publish_made(struct gate_slot *slot, struct gate_record *record, uint64_t flags)
{
    *word_of(slot, record->fd) = (uint64_t)record->generation << GATE_FD_GENERATION_SHIFT | flags;
    return publish_with_payload(slot, record);
}

IN_THE_PROGRAM void change_word(struct gate_slot *slot, uint64_t set, uint64_t cleared)
{
    uint64_t *word = (uint64_t *)word_of(slot, (uint32_t)slot->registers.rdi);
    uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);

    while (!GATE_FD_GENERATION(old ^ slot->fd_word) &&
           !__atomic_compare_exchange_n(word, &old, (old | set) & ~cleared, 0, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED))
        ;
}

/* -- parts ------------------------------------------------------------------------------------ */

IN_THE_PROGRAM struct raw_part *next_part(struct gate_record *record, enum raw_part_kind kind)
{
    struct raw_part *part = (struct raw_part *)(record->payload + record->copied);

    part->kind = (uint16_t)kind;
    part->flags = 0;
    return part;
}

IN_THE_PROGRAM int end_part(struct gate_record *record, struct raw_part *part, int64_t size,
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

IN_THE_PROGRAM int read_program(void *to, uint64_t from, uint64_t size)
{
    struct iovec here = { to, size }, there = { (void *)(uintptr_t)from, size };
    uint64_t process = (uint64_t)gate_make_call(SYS_getpid, 0, 0, 0, 0, 0);

    return (uint64_t)gate_make_call(SYS_process_vm_readv, process, (uintptr_t)&here, 1,
                                    (uintptr_t)&there, 1) == size;
}

IN_THE_PROGRAM int write_stat(struct gate_record *record, uint32_t fd, struct raw_stat **stat_out)
{
    struct raw_part *part = next_part(record, PART_STAT);
    struct raw_stat *stat = (struct raw_stat *)part->bytes;
    struct stat found;

    if (gate_make_call(SYS_fstat, fd, (uintptr_t)&found, 0, 0, 0))
        return 0;
    stat->dev = found.st_dev;
    stat->ino = found.st_ino;
    stat->size = (uint64_t)found.st_size;
    stat->rdev = found.st_rdev;
    stat->mode = found.st_mode;
    stat->uid = found.st_uid;
    stat->gid = found.st_gid;
    stat->links = (uint32_t)found.st_nlink;
    stat->born_ns = 0;
    *stat_out = stat;
    return end_part(record, part, sizeof *stat, PATH_MOST);
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

INLINE_IN_THE_PROGRAM int is_free(const struct gate_tally *tally)
{
    return !tally->sums.calls || tally->taken == GATE_TAKEN(tally->version, tally->sums.calls);
}

enum { PROBES = 4 };

INLINE_IN_THE_PROGRAM uint64_t probed(uint64_t fd, uint64_t probe)
{
    return (fd + probe) % GATE_TALLIES;
}

/* Have a place for the tally of a call's fd. Returns 1 + its index; 0: there is none. */
INLINE_IN_THE_PROGRAM uint64_t find_tally(struct gate_slot *slot, uint64_t fd)
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
    if (!found && write_tally(slot, probed(fd, number), now_ticks()))
        found = probed(fd, number) + 1;
    if (found)
        give_away(&slot->tallies[found - 1], fd, number);
    return found;
}

IN_THE_PROGRAM int tally_call(struct gate_slot *slot, uint64_t fd, uint64_t bytes, uint64_t ticks)
{
    uint64_t index = find_tally(slot, fd);

    if (!index)
        return 0;
    struct gate_sums *sums = &slot->tallies[index - 1].sums;
    slot->next.calls = sums->calls + 1;
    slot->next.bytes = sums->bytes + bytes;
    slot->next.ticks = sums->ticks + ticks;
    IN_ORDER;
    slot->tally = index;
    IN_ORDER;
    sums->bytes = slot->next.bytes;
    sums->ticks = slot->next.ticks;
    IN_ORDER;
    sums->calls = slot->next.calls; /* last: by these the tracer sees that there is more to take */
    return 1;
}

IN_THE_PROGRAM int write_tallies(struct gate_slot *slot, uint64_t fd)
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
