/* What is copied of a call: when it is entered, and when it has returned. */
#ifndef SCOPE_CALL_ARGUMENTS_H
#define SCOPE_CALL_ARGUMENTS_H

#include "call/context.h"

/* Copy into call->parts what the row's arguments point to. `with_data`: the bytes that it sends, too. */
void copy_at_entry(struct context *context, struct caller *caller, struct pending *call,
                   bool with_data);

/* Add what is known once the call has returned: names, ends of a socket, what a new fd is. */
void copy_at_exit(struct context *context, struct caller *caller, struct pending *call,
                  int64_t result);

/* NAME: what the path of a unix socket in the ADDRESS part means. `follow`: if it is a link, its target. */
void add_address_name(const struct context *context, const struct caller *caller,
                      struct parts *parts, bool follow);

/* The fds of a pair, from the PAIR part; false if that could not be copied. */
bool read_pair(const struct pending *call, int32_t pair_out[2]);

#endif
