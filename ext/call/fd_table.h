/*
 * What is counted of each fd, and whether its bytes are wanted.
 *
 * A struct fd_entry is one fd of one fd table. A struct fd_table is shared by the threads that share theirs
 * (CLONE_FILES). The struct fd_pool has all entries of the recording, and finds one by its serial, which is
 * how Python names it (raw_record.fd_serial, engine_mute).
 */
#ifndef SCOPE_CALL_FD_TABLE_H
#define SCOPE_CALL_FD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

enum fd_kind {
    FD_UNKNOWN,  /* fd_kind_of has not been asked */
    FD_PLAIN,    /* no socket */
    FD_STREAM,   /* a socket of type SOCK_STREAM */
    FD_MESSAGES, /* a socket of datagrams or other messages */
};

/* The name of a file, when it was last asked for. */
struct fd_name {
    uint64_t hash;    /* 0: it has no name in a file system */
    uint64_t time_ns; /* of that; 0: never */
    uint64_t renames; /* context.renames at that time */
};

struct fd_entry {
    uint64_t serial; /* slot in the pool and, above it, how many serials the slot had before */
    uint32_t slot;
    int fd;
    bool muted;            /* its bytes are counted and not copied */
    bool connecting;       /* connect(2) has begun, and how it ended is not known */
    bool ends_recorded;    /* a record has both ends of this socket, or they cannot be asked for */
    uint8_t kind;          /* enum fd_kind */
    uint64_t first_serial; /* `serial` when the entry was made: a new name gives it a new serial */
    struct fd_name name;
    uint32_t
        generation; /* how often its number was given away before; the words of the table count it */
    uint64_t watch;    /* which one of gated_renames.c its file was given last, from 1 on; or 0 */
    uint32_t sending;  /* how many calls are putting bytes into it now */
    uint64_t dev, ino; /* of its file; ino 0: not asked for yet (ptrace/write_order.c) */
    bool reads_all;    /* likewise: it reads what it takes of a write (not /dev/null) */
    struct raw_tally tally;
    struct raw_calls *calls; /* what of the tally other calls than read and write transferred */
    uint32_t calls_count;    /* of `calls` */
};

/* Count transfers in `calls`; without memory they count as those of read or write. */
void fd_entry_count_calls(struct fd_entry *entry, uint32_t row, bool outgoing, uint64_t calls,
                          uint64_t bytes, uint64_t elapsed_ns);

/* Whether there is an entry, and a transfer since its last tally. */
static inline bool fd_entry_was_used(const struct fd_entry *entry)
{
    return entry && (entry->tally.reads || entry->tally.writes);
}

struct arena;

struct fd_table {
    unsigned uses;             /* threads that share it */
    uint32_t flush_count;      /* context.flush_count when its tallies were last flushed */
    size_t size;               /* of `entries` */
    struct fd_entry **entries; /* by fd; NULL: none */
    uint64_t *words;           /* enum gate_fd of each fd, for code in the program; or NULL */
    size_t word_count;
    struct arena *arena;  /* that `words` are in */
    uint64_t doubted;     /* context.renames when its names were last doubted */
    bool words_are_newer; /* what is done now the program has done before, and they know it */
};

/* A table used by one thread; NULL without memory. */
struct fd_table *fd_table_new(void);

struct fd_pool {
    struct fd_entry **slots;
    uint64_t *serials; /* the last serial of each slot */
    uint32_t *free;    /* slots without an entry */
    uint32_t size, free_count;
};

/* Free the table and its entries; their tallies are flushed before. */
void fd_table_free(struct fd_table *fds, struct fd_pool *pool);

static inline struct fd_entry *fd_table_find(const struct fd_table *fds, int fd)
{
    return fd >= 0 && (size_t)fd < fds->size ? fds->entries[fd] : NULL;
}

/* Have the words of the table say what is known of its fds: none of them does so far. */
void fd_table_use_words(struct fd_table *fds, uint64_t *words, size_t count);

/* The entry of `fd`, made if there is none; NULL without memory or for a bad fd. */
struct fd_entry *fd_table_add(struct fd_table *fds, struct fd_pool *pool, int fd);

void fd_table_remove(struct fd_table *fds, struct fd_pool *pool, int fd);

/* Have calls on an fd traced until it is known again; `given_away`: the number is another file's now. */
void fd_table_forget(struct fd_table *fds, int fd, bool given_away);

void fd_pool_deinit(struct fd_pool *pool);

/* Give an entry another serial: a mute that is on its way for the old one finds nothing. */
void fd_pool_renew(struct fd_pool *pool, struct fd_entry *entry);

/* The entry with this serial, or NULL if it was removed or has another by now. */
struct fd_entry *fd_pool_find(const struct fd_pool *pool, uint64_t serial);

#endif
