/* What is copied of a call: when it is entered, and when it has returned. */
#ifndef SCOPE_CALL_ARGUMENTS_H
#define SCOPE_CALL_ARGUMENTS_H

#include "call/context.h"
#include "call/resolve.h"

/* Copy into call->parts what the row's arguments point to. `with_data`: the bytes that it sends, too. */
void copy_at_entry(struct context *context, struct caller *caller, struct pending *call,
                   bool with_data);

/* Add what is known once the call has returned: names, ends of a socket, what a new fd is. */
void copy_at_exit(struct context *context, struct caller *caller, struct pending *call,
                  int64_t result);

/* A path as it was passed, and how the kernel looks it up; good until a part is added. */
struct passed_path {
    struct lookup lookup;
    const char *text;
    size_t length;
};

/* Whether a call makes the file that it opens if that is not there, and opens it if it is. */
bool may_create(const struct pending *call);

/* The first path of a call, which may be that of a unix socket in its ADDRESS, and the second one. */
bool find_path(const struct context *context, const struct caller *caller,
               const struct pending *call, struct passed_path *path_out);
bool find_path2(const struct context *context, const struct caller *caller,
                const struct pending *call, struct passed_path *path_out);
bool find_address_path(const struct context *context, const struct caller *caller,
                       const struct parts *parts, struct passed_path *path_out);

/*
 * NAME: what the path of a unix socket in the ADDRESS part means. `follow`: if it is a link, its target.
 * `result`: of the call; MISSING, if that says so.
 */
void add_address_name(const struct context *context, const struct caller *caller,
                      struct parts *parts, bool follow, int64_t result);

/* The fds of a pair, from the PAIR part; false if that could not be copied. */
bool read_pair(const struct pending *call, int32_t pair_out[2]);

#endif
