/*
 * What each fd of each table has moved. A table belongs to the tasks that share it (CLONE_FILES).
 * An entry begins with the first use of an fd, and ends with the fd.
 */
#ifndef SCOPE_CALL_STREAMS_H
#define SCOPE_CALL_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

enum stream_kind {
    STREAM_UNKNOWN,
    STREAM_PLAIN,    /* no socket */
    STREAM_SOCKET,   /* bytes in a row */
    STREAM_MESSAGES, /* a socket of datagrams or other messages */
};

struct stream {
    uint64_t serial; /* slot in the pool and, above it, how often the slot was used */
    uint32_t slot;
    int fd;
    bool counts_only;      /* muted: no bytes are copied */
    bool connecting;       /* connect was begun, and how it ended is not known */
    bool named;            /* the address of this end has been told */
    uint8_t kind;          /* enum stream_kind */
    uint64_t first_serial; /* `serial` when it was made: a new name is a new serial */
    uint64_t name;         /* hash of what it is called; 0: it has no name in a file system */
    uint64_t name_ns;      /* when that was asked for */
    uint64_t name_renames; /* engine.renames at that time */
    uint32_t sending;      /* calls that are putting bytes into it now */
    uint64_t dev, ino;     /* what it is; ino 0: nobody has asked (write_order.c) */
    struct raw_tally tally;
    struct raw_calls *calls; /* what of the tally was moved by other calls than read and write */
    uint32_t kinds;          /* of `calls` */
};

/* Count one call that moved bytes, beside its tally; without memory it counts as read or write. */
void stream_count_call(struct stream *stream, uint32_t row, bool outgoing, uint64_t bytes,
                       uint64_t elapsed_ns);

struct files {
    unsigned uses;
    uint32_t told; /* when its tallies were told last: engine.tellings */
    size_t size;   /* of by_fd */
    struct stream **by_fd;
};

/* Every live stream, so that a serial finds its stream. */
struct stream_pool {
    struct stream **slots;
    uint64_t *serials; /* the serial last given to each slot */
    uint32_t *free;
    uint32_t size, free_count;
};

void pool_deinit(struct stream_pool *pool);

/* A table used once; NULL without memory. */
struct files *files_new(void);

/* Forget every stream and the table itself; its tallies are to be flushed before. */
void files_free(struct files *files, struct stream_pool *pool);

static inline struct stream *files_find(const struct files *files, int fd)
{
    return fd >= 0 && (size_t)fd < files->size ? files->by_fd[fd] : NULL;
}

/* The stream of `fd`, made if it is not there; NULL without memory or for a bad fd. */
struct stream *files_add(struct files *files, struct stream_pool *pool, int fd);

void files_remove(struct files *files, struct stream_pool *pool, int fd);

/* Give a live stream another serial: what was said of the old one holds no more. */
void pool_renew(struct stream_pool *pool, struct stream *stream);

/* The stream with this serial, if it still lives. */
struct stream *pool_find(const struct stream_pool *pool, uint64_t serial);

static inline bool stream_moved(const struct stream *stream)
{
    return stream && (stream->tally.reads || stream->tally.writes);
}

#endif
