#include "call/fd_table.h"

#include <stdlib.h>
#include <string.h>

enum { FD_LIMIT = 1 << 24 }; /* above any fd that the kernel gives (fs.nr_open's usual bound) */

void pool_deinit(struct stream_pool *pool)
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

static bool pool_grow(struct stream_pool *pool)
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

void pool_renew(struct stream_pool *pool, struct stream *stream)
{
    uint64_t last = pool->serials[stream->slot];

    stream->serial = last ? last + ((uint64_t)1 << 32) : ((uint64_t)1 << 32) | stream->slot;
    pool->serials[stream->slot] = stream->serial;
}

static struct stream *pool_take(struct stream_pool *pool, int fd)
{
    struct stream *stream = calloc(1, sizeof *stream);

    if (!stream || (!pool->free_count && !pool_grow(pool))) {
        free(stream);
        return NULL;
    }
    stream->slot = pool->free[--pool->free_count];
    stream->fd = fd;
    pool_renew(pool, stream);
    stream->first_serial = stream->serial;
    pool->slots[stream->slot] = stream;
    return stream;
}

static void pool_give(struct stream_pool *pool, struct stream *stream)
{
    pool->slots[stream->slot] = NULL;
    pool->free[pool->free_count++] = stream->slot;
    free(stream->calls);
    free(stream);
}

void stream_count_call(struct stream *stream, uint32_t row, bool outgoing, uint64_t bytes,
                       uint64_t elapsed_ns)
{
    struct raw_calls *entry = stream->calls, *end = entry ? entry + stream->kinds : NULL;

    while (entry < end && (entry->syscall != row || entry->outgoing != outgoing))
        entry++;
    if (entry == end) {
        struct raw_calls *grown =
            realloc(stream->calls, (stream->kinds + 1) * sizeof *stream->calls);
        if (!grown)
            return;
        stream->calls = grown;
        entry = grown + stream->kinds++;
        *entry = (struct raw_calls){ .syscall = row, .outgoing = outgoing };
    }
    entry->calls++;
    entry->bytes += bytes;
    entry->ns += elapsed_ns;
}

struct stream *pool_find(const struct stream_pool *pool, uint64_t serial)
{
    uint32_t slot = (uint32_t)serial;

    if (slot < pool->size && pool->slots[slot] && pool->slots[slot]->serial == serial)
        return pool->slots[slot];
    return NULL;
}

struct files *files_new(void)
{
    struct files *files = calloc(1, sizeof *files);

    if (files)
        files->uses = 1;
    return files;
}

void files_free(struct files *files, struct stream_pool *pool)
{
    for (size_t fd = 0; fd < files->size; fd++)
        if (files->by_fd[fd])
            pool_give(pool, files->by_fd[fd]);
    free(files->by_fd);
    free(files);
}

struct stream *files_add(struct files *files, struct stream_pool *pool, int fd)
{
    if (fd < 0 || fd >= FD_LIMIT)
        return NULL;
    if ((size_t)fd >= files->size) {
        size_t size = files->size ? files->size : 16;
        while (size <= (size_t)fd)
            size *= 2;
        if (!grow((void **)&files->by_fd, sizeof *files->by_fd, files->size, size))
            return NULL;
        files->size = size;
    }
    if (!files->by_fd[fd])
        files->by_fd[fd] = pool_take(pool, fd);
    return files->by_fd[fd];
}

void files_remove(struct files *files, struct stream_pool *pool, int fd)
{
    struct stream *stream = files_find(files, fd);

    if (!stream)
        return;
    files->by_fd[fd] = NULL;
    pool_give(pool, stream);
}
