/* The final state of a socket, asked for before its fd is closed or shut down. */
#ifndef SCOPE_CALL_SOCKET_FINAL_STATE_H
#define SCOPE_CALL_SOCKET_FINAL_STATE_H

#include "call/context.h"

/* The last word on a socket whose fd is about to go or to be shut down; nothing if all is well. */
void add_last_word(const struct context *context, struct parts *parts, const struct caller *caller,
                   const struct stream *stream);
/* The last words on the sockets at fds `first` to `last`, as records. */
void tell_last_words(struct context *context, const struct caller *caller, unsigned first,
                     unsigned last);
/* The same of those fds that a call which begins may let go or shut down. */
void tell_before_end(struct context *context, const struct caller *caller,
                     const struct pending *call);

#endif
