/* What is copied of a call: when it is entered, and when it has returned. */
#ifndef SCOPE_CALL_ARGUMENTS_H
#define SCOPE_CALL_ARGUMENTS_H

#include "call/context.h"

void copy_at_entry(struct context *context, struct caller *caller, struct pending *call,
                   bool with_data);
void copy_at_exit(struct context *context, struct caller *caller, struct pending *call,
                  int64_t result);
/* The name of the path in the ADDRESS part, if that is of a unix socket. */
void add_address_name(const struct context *context, const struct caller *caller,
                      struct parts *parts, bool follow);
/* The fds of a pair that was made, as its PAIR part has them; false if that could not be read. */
bool read_pair(const struct pending *call, int32_t pair_out[2]);

#endif
