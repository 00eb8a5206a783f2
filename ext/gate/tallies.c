#include "gate/tallies.h"

#include <stdlib.h>
#include <string.h>

static uint32_t version_of(const struct gate_tally *shared)
{
    return __atomic_load_n(&shared->version, __ATOMIC_ACQUIRE);
}

/* Copy a tally. False: its place is being given to another fd, after which this is tried again. */
static bool copy_tally(const struct gate_tally *shared, struct gate_tally *copy)
{
    uint32_t version = version_of(shared);
    uint64_t calls = __atomic_load_n(&shared->sums.calls, __ATOMIC_ACQUIRE);

    memcpy(copy, shared, sizeof *copy);
    copy->sums.calls = calls; /* read before the other sums, which the thread adds to before */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return version % 2 == 0 && copy->version == version && version_of(shared) == version;
}

/* What has come to a tally since it was seen. False: nothing, or it was seen later than this copy was made. */
static bool see(struct gate_tally *seen, struct gate_tally now, struct gate_tally *more_out)
{
    struct gate_sums before = { 0 };

    if (now.version == seen->version)
        before = seen->sums;
    else if ((int32_t)(now.version - seen->version) < 0)
        return false;
    if (now.sums.calls <= before.calls)
        return false;
    *seen = *more_out = now;
    more_out->sums.calls -= before.calls;
    more_out->sums.bytes -= before.bytes;
    more_out->sums.ticks -= before.ticks;
    return true;
}

/* -- records ahead of their turn -------------------------------------------------------------- */

static struct tally_kept **chain_of(struct tallies *tallies, uint64_t fd)
{
    return &tallies->chains[(fd ^ fd >> GATE_FD_GENERATION_SHIFT) % TALLIES_CHAINS];
}

/* False: there is no memory. */
static bool keep(struct tallies *tallies, struct gate_thread *thread, uint64_t position,
                 const struct gate_tally *more)
{
    struct tally_kept *kept = malloc(sizeof *kept), **chain = chain_of(tallies, more->fd);

    if (!kept)
        return false;
    *kept = (struct tally_kept){ thread, position, *more, NULL, *chain, chain };
    if (*chain)
        (*chain)->link = &kept->below;
    *chain = kept;
    *(thread->kept ? &thread->last_kept->next : &thread->kept) = kept;
    thread->last_kept = kept;
    return true;
}

static void drop_first(struct gate_thread *thread)
{
    struct tally_kept *kept = thread->kept;

    thread->kept = kept->next;
    *kept->link = kept->below;
    if (kept->below)
        kept->below->link = kept->link;
    free(kept);
}

static void look_at(struct tallies *tallies, struct gate_thread *thread,
                    const struct gate_record *record, uint64_t position)
{
    const struct gate_tally now = {
        .fd = gate_fd_key(record->generation, (int)record->fd),
        .number = record->row,
        .version = (uint32_t)record->args[4],
        .sums = { record->args[0], record->args[1], record->args[2] },
    };
    uint64_t index = record->args[3];
    struct gate_tally more;

    if (index >= GATE_TALLIES || !see(&thread->seen[index], now, &more))
        return;
    if (tallies->is_known(thread, now.fd) || !keep(tallies, thread, position, &more))
        tallies->take(tallies->context, thread, &more);
}

/* All that is published. */
static void look_ahead(struct tallies *tallies, struct gate_thread *thread)
{
    uint64_t read = thread->reader.read;
    uint64_t position = thread->looked > read ? thread->looked : read;
    struct gate_reader at = gate_look_from(&thread->reader, position);
    struct gate_record record;

    for (; gate_look(&at, &record); position = at.read)
        if (record.kind == GATE_TALLY)
            look_at(tallies, thread, &record, at.read - record.size);
    thread->looked = position;
}

void tallies_take_turn(struct tallies *tallies, struct gate_thread *thread)
{
    uint64_t position = thread->reader.read;

    if (thread->looked <= position)
        look_ahead(tallies, thread);
    while (thread->kept && thread->kept->position <= position) {
        tallies->take(tallies->context, thread, &thread->kept->more);
        drop_first(thread);
    }
}

void tallies_take_kept(struct tallies *tallies, uint64_t fd)
{
    for (struct tally_kept *kept = *chain_of(tallies, fd); kept; kept = kept->below)
        if (kept->more.fd == fd && tallies->is_known(kept->thread, fd)) {
            tallies->take(tallies->context, kept->thread, &kept->more);
            memset(&kept->more.sums, 0, sizeof kept->more.sums);
        }
}

void tallies_forget(struct gate_thread *thread)
{
    while (thread->kept)
        drop_first(thread);
}

/* -- places ----------------------------------------------------------------------------------- */

/* False: there is something to take later. */
static bool collect_place(struct tallies *tallies, struct gate_thread *thread, int index)
{
    struct gate_tally *shared = &thread->page->slot.tallies[index], *seen = &thread->seen[index];
    struct gate_tally now, more;

    if (!copy_tally(shared, &now))
        return false;
    if (now.version == seen->version && now.sums.calls == seen->sums.calls)
        return true;
    if (now.version != seen->version)
        look_ahead(tallies, thread); /* what the place had before was published by now */
    if (!tallies->is_known(thread, now.fd))
        return false;
    if (see(seen, now, &more))
        tallies->take(tallies->context, thread, &more);
    shared->taken = GATE_TAKEN(now.version, now.sums.calls);
    return true;
}

bool tallies_collect(struct tallies *tallies, struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t made = __atomic_load_n(&slot->made, __ATOMIC_ACQUIRE);

    look_ahead(tallies, thread);
    if (made == thread->made && thread->is_taken)
        return true;
    thread->calls += made - thread->made <= INT32_MAX ? made - thread->made : 0;
    thread->made = made;
    thread->is_taken = true;
    for (int i = 0; i < GATE_TALLIES; i++)
        thread->is_taken &= collect_place(tallies, thread, i);
    return thread->is_taken;
}
