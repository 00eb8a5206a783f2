/*
 * What can happen to an fd, and what is done with its entry:
 *
 *  1. A call uses an fd that has no entry: it was inherited, or opened by a call that is not watched, or an
 *     exec emptied the table. An entry is added, and a RAW_FD record says what the fd is (use_fd).
 *  2. A call opens an fd, or copies one to it (open, accept, dup, pipe…). An entry that is still there is of
 *     an fd that was closed unseen: it is flushed and removed, and a new one is added (effects.c).
 *  3. A call transfers bytes: they are added to its tally (count_reads, count_writes).
 *  4. Python mutes it (engine_mute): bytes are counted and no longer copied.
 *  5. Its file gets another name: the tally is flushed under the old serial, the mute ends, and a RAW_FD
 *     record and a new serial follow, since Python may want its bytes under the new name (refresh_name).
 *  6. Python asks for all tallies (engine_flush_tallies): the tally is written and begins at 0 again.
 *  7. close: its record has the tally. The entry is removed when the call is entered, since another thread
 *     may be given the same number before it returns. So are those of close_range without flags, whose tallies are
 *     flushed.
 *  8. dup2 or dup3 over it, close_range with CLOSE_RANGE_UNSHARE: the tally is flushed and the entry removed when the
 *     call has succeeded.
 *  9. exec: the thread goes on with an empty table, and case 1 follows for what stays open. The old table
 *     is flushed, unless another thread still has it.
 * 10. unshare(CLONE_FILES), CLOSE_RANGE_UNSHARE, fork: the thread has an empty table of its own, as in 9.
 * 11. The last thread with the table ends: all tallies are flushed, and the table is freed.
 * 12. A thread reads from an fd while another closes it, and perhaps opens another file there: first_serial
 *     of the entry is no longer the call's first_fd_serial, and its record has -1 for the fd (transfer.c).
 */
#include "call/fd_table.h"

#include <stdlib.h>
#include <string.h>

enum { GENERATION_SHIFT = 32 }; /* of a word: gate/layout.h */
enum { FD_LIMIT = 1 << 24 };    /* above any fd that the kernel gives (fs.nr_open's usual bound) */

void fd_pool_deinit(struct fd_pool *pool)
{
    free(pool->slots);
    free(pool->serials);
    free(pool->free);
    memset(pool, 0, sizeof *pool);
}

/* Grow one array, filling what is new with zeros. */
static bool grow(void **array, size_t item, size_t from, size_t to)
{
    void *grown = realloc(*array, item * to);

    if (!grown)
        return false;
    memset((char *)grown + item * from, 0, item * (to - from));
    *array = grown;
    return true;
}

static bool fd_pool_grow(struct fd_pool *pool)
{
    uint32_t size = pool->size ? pool->size * 2 : 256;

    if (!grow((void **)&pool->slots, sizeof *pool->slots, pool->size, size) ||
        !grow((void **)&pool->serials, sizeof *pool->serials, pool->size, size) ||
        !grow((void **)&pool->free, sizeof *pool->free, pool->size, size))
        return false;
    for (uint32_t slot = size; slot > pool->size; slot--)
        pool->free[pool->free_count++] = slot - 1;
    pool->size = size;
    return true;
}

void fd_pool_renew(struct fd_pool *pool, struct fd_entry *entry)
{
    uint64_t last = pool->serials[entry->slot];

    entry->serial = last ? last + ((uint64_t)1 << 32) : ((uint64_t)1 << 32) | entry->slot;
    pool->serials[entry->slot] = entry->serial;
}

static struct fd_entry *fd_pool_take(struct fd_pool *pool, int fd)
{
    struct fd_entry *entry = calloc(1, sizeof *entry);

    if (!entry || (!pool->free_count && !fd_pool_grow(pool))) {
        free(entry);
        return NULL;
    }
    entry->slot = pool->free[--pool->free_count];
    entry->fd = fd;
    fd_pool_renew(pool, entry);
    entry->first_serial = entry->serial;
    pool->slots[entry->slot] = entry;
    return entry;
}

static void fd_pool_give(struct fd_pool *pool, struct fd_entry *entry)
{
    pool->slots[entry->slot] = NULL;
    pool->free[pool->free_count++] = entry->slot;
    free(entry->calls);
    free(entry);
}

void fd_entry_count_calls(struct fd_entry *entry, uint32_t row, bool outgoing, uint64_t calls,
                          uint64_t bytes, uint64_t elapsed_ns)
{
    struct raw_calls *counts = entry->calls, *end = counts ? counts + entry->calls_count : NULL;

    while (counts < end && (counts->syscall != row || counts->outgoing != outgoing))
        counts++;
    if (counts == end) {
        struct raw_calls *grown =
            realloc(entry->calls, (entry->calls_count + 1) * sizeof *entry->calls);
        if (!grown)
            return;
        entry->calls = grown;
        counts = grown + entry->calls_count++;
        *counts = (struct raw_calls){ .syscall = row, .outgoing = outgoing };
    }
    counts->calls += calls;
    counts->bytes += bytes;
    counts->ns += elapsed_ns;
}

struct fd_entry *fd_pool_find(const struct fd_pool *pool, uint64_t serial)
{
    uint32_t slot = (uint32_t)serial;

    if (slot < pool->size && pool->slots[slot] && pool->slots[slot]->serial == serial)
        return pool->slots[slot];
    return NULL;
}

struct fd_table *fd_table_new(void)
{
    struct fd_table *fds = calloc(1, sizeof *fds);

    if (fds)
        fds->uses = 1;
    return fds;
}

void fd_table_free(struct fd_table *fds, struct fd_pool *pool)
{
    for (size_t fd = 0; fd < fds->size; fd++)
        if (fds->entries[fd])
            fd_pool_give(pool, fds->entries[fd]);
    free(fds->entries);
    free(fds);
}

/* Code in the program takes a word of 0 to say that there is no entry. Returns the generation of the fd. */
static uint32_t claim_word(const struct fd_table *fds, size_t fd)
{
    uint64_t *word = &fds->words[fd], unused = 0;

    __atomic_compare_exchange_n(word, &unused, (uint64_t)1 << GENERATION_SHIFT, false,
                                __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    return (uint32_t)(*word >> GENERATION_SHIFT);
}

void fd_table_use_words(struct fd_table *fds, uint64_t *words, size_t count)
{
    fds->words = words;
    fds->word_count = count;
    for (size_t fd = 0; fd < fds->size && fd < count; fd++)
        if (fds->entries[fd])
            fds->entries[fd]->generation = claim_word(fds, fd);
}

struct fd_entry *fd_table_add(struct fd_table *fds, struct fd_pool *pool, int fd)
{
    if (fd < 0 || fd >= FD_LIMIT)
        return NULL;
    if ((size_t)fd >= fds->size) {
        size_t size = fds->size ? fds->size : 16;
        while (size <= (size_t)fd)
            size *= 2;
        if (!grow((void **)&fds->entries, sizeof *fds->entries, fds->size, size))
            return NULL;
        fds->size = size;
    }
    if (!fds->entries[fd]) {
        fds->entries[fd] = fd_pool_take(pool, fd);
        if (fds->entries[fd] && (size_t)fd < fds->word_count)
            fds->entries[fd]->generation = claim_word(fds, (size_t)fd);
    }
    return fds->entries[fd];
}

void fd_table_forget(struct fd_table *fds, int fd, bool given_away)
{
    if (fd < 0 || (size_t)fd >= fds->word_count || fds->words_are_newer)
        return;
    uint64_t generation = (fds->words[fd] >> GENERATION_SHIFT) + given_away;
    __atomic_store_n(&fds->words[fd], generation << GENERATION_SHIFT, __ATOMIC_RELEASE);
}

void fd_table_remove(struct fd_table *fds, struct fd_pool *pool, int fd)
{
    struct fd_entry *entry = fd_table_find(fds, fd);

    fd_table_forget(fds, fd, true);
    if (!entry)
        return;
    fds->entries[fd] = NULL;
    fd_pool_give(pool, entry);
}
