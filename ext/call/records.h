/* Records are completed here and put into the ring. */
#ifndef SCOPE_CALL_RECORDS_H
#define SCOPE_CALL_RECORDS_H

#include "call/context.h"

/* Write a record: `header` names everything but size, pid, tid and copied; `parts` may be NULL. */
void write_record(struct context *context, const struct caller *caller, struct raw_record *header,
                  const struct parts *parts);
void write_note(struct context *context, const struct caller *caller, enum raw_note note,
                uint64_t value);

/* `transferred`: how many bytes the call transferred, by its result or by one of its messages. */
void write_call(struct context *context, const struct caller *caller, const struct pending *call,
                int64_t result, uint64_t elapsed_ns, uint64_t transferred);

#endif
