/* What open files are called now. */
#ifndef SCOPE_CALL_FD_NAMES_H
#define SCOPE_CALL_FD_NAMES_H

#include "call/context.h"

/* The hash of what the LINK part says; without one, of the name of the stream that was copied. */
uint64_t name_in(const struct parts *parts, const struct stream *copied);
/* A new stream is called so at this moment. */
void begin_name(const struct context *context, struct stream *stream, uint64_t name);
/* Before an fd is used or let go: show Python what its file is called now, if that is news. */
void follow_name(struct context *context, const struct caller *caller, struct stream *stream,
                 uint64_t now_ns);

#endif
