/*
 * Evidence: what can be seen of the reason of a failure while the thread stands still.
 *
 * Facts only, as parts of the record of the call that failed (record.h); scopetrace/decode/evidence.py
 * says what they mean. Where a call failed, nothing else looks that was not there for its success, so
 * what is done for an errno is bounded, and for ENOENT, which is frequent, one readlink(2) is all.
 */
#ifndef SCOPE_CALL_EVIDENCE_H
#define SCOPE_CALL_EVIDENCE_H

#include "call/context.h"

/* The parts that `result`, a negative errno, asks for; its names have been added before. */
void add_evidence(struct context *context, const struct caller *caller, struct pending *call,
                  int64_t result);

enum presence { PRESENCE_UNKNOWN = -1, ABSENT, PRESENT };

/* Whether the file that a call may create (O_CREAT) is there before it is made. */
enum presence file_before(const struct context *context, const struct caller *caller,
                          const struct pending *call);

/* MISSING: of a name of which only the first `there` bytes are there, unless all but the last name is. */
void add_missing(struct parts *parts, const char *name, size_t length, size_t there);

#endif
