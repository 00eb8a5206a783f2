/*
 * Counters of each fd (fd_table.h), and of each call that makes no record. They are written when an fd
 * or its process ends, and when Python asks for all of them.
 */
#ifndef SCOPE_CALL_TALLY_H
#define SCOPE_CALL_TALLY_H

#include "call/context.h"

/* Write the last tally of an fd and remove its entry; if it has none, do nothing. */
void flush_and_remove(struct context *context, const struct caller *caller, int fd);
void flush_and_remove_all(struct context *context, const struct caller *caller);

/* Write how often a thread made each call that makes no record, and count from 0 again. */
void flush_counted_calls(struct context *context, struct caller *caller);

/* Write the tally of an fd, if it was used, and count from 0 again. */
void flush_tally(struct context *context, const struct caller *caller, struct fd_entry *entry);

/* The same of all fds of a thread, once for each table and value of context.flush_count, and of its calls. */
void flush_caller(struct context *context, struct caller *caller);

/* Write a RAW_FD record of an fd that was found open, and add its entry (NULL without memory). */
struct fd_entry *write_found_fd(struct context *context, struct caller *caller, int fd,
                                enum raw_seen seen);

/* The kind of an fd; the kernel is asked once. */
enum fd_kind fd_kind_of(const struct caller *caller, struct fd_entry *entry);
enum fd_kind fd_kind_of_type(int type);

/* The entry of an fd that a call uses; if it is new, a RAW_FD record says what it is. NULL: it is not open. */
struct fd_entry *use_fd(struct context *context, struct caller *caller, int fd);

/* Add transfers by calls of `row` to the tally of an fd; NULL: there is none. */
void count_transfers(struct fd_entry *entry, uint16_t row, bool outgoing, uint64_t calls,
                     uint64_t bytes, uint64_t elapsed_ns);

static inline void count_reads(struct fd_entry *entry, uint16_t row, uint64_t bytes,
                               uint64_t elapsed_ns)
{
    count_transfers(entry, row, false, 1, bytes, elapsed_ns);
}

static inline void count_writes(struct fd_entry *entry, uint16_t row, uint64_t bytes,
                                uint64_t elapsed_ns)
{
    count_transfers(entry, row, true, 1, bytes, elapsed_ns);
}

/* TALLY and CALLS of an fd. */
void add_tally(struct parts *parts, const struct fd_entry *entry);

#endif
