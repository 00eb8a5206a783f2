/* Calls on fds that transfer nothing: an fd is closed or copied, a pipe made, a file changed by its fd, or mapped. */
#include <stddef.h>
#include <sys/mman.h>

#include "gate/gate_calls.h"

/* -- close ------------------------------------------------------------------------------------ */

enum { STARTS_PATHS = GATE_FD_KNOWN | GATE_FD_FOLDER };

/* The file of an fd has a name, which was not asked for lately. */
IN_THE_PROGRAM static int is_stale(const struct gate_slot *slot)
{
    return slot->fd_word && !has(slot, GATE_FD_NAMELESS) && !is_fresh(slot);
}

/* What its name is. False: the tracer has to ask, as for a file that is deleted, or is called so. */
IN_THE_PROGRAM static int write_name(struct gate_record *record, uint32_t fd)
{
    const struct raw_part *link = (struct raw_part *)record->payload;
    struct raw_stat *stat;

    return write_link(record, fd) && link->size && link->bytes[link->size - 1] != ')' &&
           write_stat(record, fd, &stat);
}

/*
 * The record is published before the call is made: afterwards another thread may have the number. What a path has
 * meant that starts from a folder is found out before that is closed. Of an fd whose word is 0 the tracer knows
 * nothing, and has nothing to ask.
 */
IN_THE_PROGRAM int before_close(struct gate_slot *slot)
{
    enum { MOST = sizeof(struct gate_record) + 2 * sizeof(struct raw_part) + ENDS_MOST };
    enum { NAME_MOST = PATH_MOST + 2 * sizeof(struct raw_part) + sizeof(struct raw_stat) };
    uint32_t fd = (uint32_t)slot->registers.rdi;
    int stale = is_stale(slot);

    if ((stale && !(slot->may_try && has(slot, GATE_FD_KNOWN))) ||
        (slot->fd_word && (has(slot, STARTS_PATHS) || !write_tallies(slot, fd_key(slot)))))
        return 1;
    struct gate_record *record = begin_record(slot, stale ? MOST + NAME_MOST : MOST);
    if (!record)
        return 1;
    fill_record(slot, record, GATE_CALL);
    record->flags = GATE_BEFORE_CALL;
    if (stale && !write_name(record, fd))
        return 1;
    if (has(slot, GATE_FD_HANGUP))
        write_hangup_part(record, hangup_of(fd));
    if (has(slot, GATE_FD_CONNECTING) && write_ends(record, fd, inode_of(fd)) == ENDS_UNKNOWN)
        return 1;
    *word_of(slot, fd) = (GATE_FD_GENERATION(slot->fd_word) + 1) << GATE_FD_GENERATION_SHIFT;
    publish_with_payload(slot, record);
    mark_slot(slot);
    return 0;
}

/* -- copies ----------------------------------------------------------------------------------- */

IN_THE_PROGRAM int before_copy(struct gate_slot *slot)
{
    uint32_t fd = (uint32_t)slot->registers.rdi;

    if (fd >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, fd);
    return !(slot->fd_word & (GATE_FD_KNOWN | GATE_FD_NAMELESS));
}

/* The copy has the same file, and bytes of its own: whether they are wanted the tracer says anew. */
IN_THE_PROGRAM int after_copy(struct gate_slot *slot)
{
    const uint32_t own = GATE_FD_MUTED | GATE_FD_ENDS | GATE_FD_FOLDER | GATE_FD_CONNECTING;
    uint64_t from = slot->fd_word, now = *word_of(slot, (uint32_t)slot->registers.rdi);
    int same = (int64_t)slot->result >= 0 && !GATE_FD_GENERATION(from ^ now);
    struct gate_record *record = same ? begin_made(slot, sizeof *record) : NULL;

    if (!record)
        return 0;
    record->to_generation = (uint32_t)GATE_FD_GENERATION(from);
    return publish_made(slot, record, (uint32_t)from & ~(own | (slot->flows ? 0 : GATE_FD_STREAM)));
}

/* -- pipes ------------------------------------------------------------------------------------ */

IN_THE_PROGRAM static int after_pipe(struct gate_slot *slot)
{
    enum { SIZE = 2 * sizeof(int32_t) };
    const uint64_t flags = GATE_FD_KNOWN | GATE_FD_NAMELESS;
    uint64_t left = now_ticks();
    struct gate_record *record =
        begin_record(slot, sizeof *record + sizeof(struct raw_part) + RAW_ALIGN(SIZE));

    if (!record)
        return 0;
    fill_returned(slot, record, left);
    struct raw_part *part = next_part(record, PART_PAIR);
    const uint32_t *pair = (const uint32_t *)part->bytes;
    if (gate_copy_bytes(part->bytes, slot->registers.rdi, SIZE) || pair[0] >= slot->fds_size ||
        pair[1] >= slot->fds_size || !end_part(record, part, SIZE, SIZE + 1))
        return 0;
    uint64_t to_generation = GATE_FD_GENERATION(*word_of(slot, pair[1])) + 1;
    record->fd = pair[0];
    record->generation = (uint32_t)GATE_FD_GENERATION(*word_of(slot, pair[0])) + 1;
    record->to_generation = (uint32_t)to_generation;
    *word_of(slot, pair[1]) = to_generation << GATE_FD_GENERATION_SHIFT | flags;
    return publish_made(slot, record, flags);
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
IN_THE_PROGRAM int may_map(const struct gate_slot *slot)
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

IN_THE_PROGRAM int before_file(struct gate_slot *slot)
{
    uint32_t fd = file_of(slot);

    if (action_of(slot) == GATE_PIPE || (action_of(slot) == GATE_MAP && !maps_file(slot)))
        return 0;
    if (fd >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, fd);
    return action_of(slot) == GATE_MAP ? !has(slot, GATE_FD_KNOWN) : !is_fresh(slot);
}

/* False: the tracer has to record it. */
IN_THE_PROGRAM int after_file(struct gate_slot *slot)
{
    uint64_t left = now_ticks();

    if (action_of(slot) == GATE_PIPE)
        return after_pipe(slot);
    if (action_of(slot) == GATE_MAP && !maps_file(slot))
        return 1;
    uint64_t changed = *word_of(slot, file_of(slot)) ^ slot->fd_word;
    struct gate_record *record = begin_about(slot, file_of(slot), changed, left, sizeof *record);

    if (record)
        publish_call(slot, sizeof *record);
    return record != NULL;
}
