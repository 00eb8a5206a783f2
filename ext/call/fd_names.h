/* The names of open files, as hashes: a change of name is noticed and recorded. */
#ifndef SCOPE_CALL_FD_NAMES_H
#define SCOPE_CALL_FD_NAMES_H

#include "call/context.h"

/* The name in the LINK part, as it is now; if there is none, that of the fd that was copied, or unknown. */
struct fd_name name_of_part(const struct context *context, const struct parts *parts,
                            const struct fd_entry *copied);

/* The same, of a file that is closed by now: its name and facts are LINK and STAT of `parts`, which are taken out. */
void take_last_name(struct context *context, const struct caller *caller, struct fd_entry *entry,
                    struct parts *parts);

/* Before a use of an fd, or its end: if its file has another name by now, write a RAW_FD record. */
void refresh_name(struct context *context, const struct caller *caller, struct fd_entry *entry,
                  uint64_t now_ns);

#endif
