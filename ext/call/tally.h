/* Counters of each fd and of each call that makes no record, and their way into records. */
#ifndef SCOPE_CALL_TALLY_H
#define SCOPE_CALL_TALLY_H

#include "call/context.h"

/* A stream's tally as a record, then its end. */
void flush_stream(struct context *context, const struct caller *caller, int fd);
void flush_files(struct context *context, const struct caller *caller);
/* How often a task made each call that makes no record. */
void tell_calls(struct context *context, struct caller *caller);
/* A stream's tally as a record; it goes on from nothing. */
void tell_stream(struct context *context, const struct caller *caller, struct stream *stream);
/* The tallies of all fds of a caller, unless another thread's turn has flushed the table already; its counts. */
void tell_caller(struct context *context, struct caller *caller);
/* An fd found rather than made: a RAW_FD record, and a new stream (NULL without memory). */
struct stream *write_seen(struct context *context, struct caller *caller, int fd,
                          enum raw_seen seen);
/* What kind of stream an fd is; it is asked for once. */
enum stream_kind stream_kind(const struct caller *caller, struct stream *stream);
enum stream_kind kind_of_type(int type);
/* The stream of an fd that is about to be used; NULL if it is not open. */
struct stream *use_stream(struct context *context, struct caller *caller, int fd);
/* `row`: of the call that moved the bytes. */
void count_reads(struct stream *stream, uint16_t row, uint64_t bytes, uint64_t elapsed_ns);
void count_writes(struct stream *stream, uint16_t row, uint64_t bytes, uint64_t elapsed_ns);
/* A stream's tally as parts of a record. */
void add_tally(struct parts *parts, const struct stream *stream);

#endif
