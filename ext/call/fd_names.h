/* The names of open files, as hashes: a change of name is noticed and recorded. */
#ifndef SCOPE_CALL_FD_NAMES_H
#define SCOPE_CALL_FD_NAMES_H

#include "call/context.h"

/* Hash of the name in the LINK part; if there is none, that of the fd that was copied, or unknown. */
uint64_t name_hash_of(const struct parts *parts, const struct fd_entry *copied);

/* The file of a new entry has this name now. */
void set_name(const struct context *context, struct fd_entry *entry, uint64_t name);

/* Before a use of an fd, or its end: if its file has another name by now, write a RAW_FD record. */
void refresh_name(struct context *context, const struct caller *caller, struct fd_entry *entry,
                  uint64_t now_ns);

#endif
