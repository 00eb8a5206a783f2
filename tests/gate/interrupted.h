/*
 * What a handler sees of the thread that its signal has interrupted, in a call at a known site: the place
 * is in the site or behind it, and each register but those that a call changes is as before.
 */
#ifndef INTERRUPTED_H
#define INTERRUPTED_H

#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "known_state.h"

enum { MOVED_BYTES = 7 }; /* of the instruction before the call that is moved with it */

static const struct site *current; /* whose call is being made, or NULL */
static volatile sig_atomic_t wrong;

/* Registers of an interrupted thread, in the order of `before`. */
static const int OF_CONTEXT[] = {
    REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
    REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_EFL,
};

static void complain(const char *what, const char *name, long long value)
{
    char line[128];
    int size = snprintf(line, sizeof line, "WRONG: %s of %s: %#llx\n", what, name, value);

    if (write(STDERR_FILENO, line, (size_t)size) != size)
        abort();
    wrong = 1;
}

static void check_context(const ucontext_t *context)
{
    enum { CLOBBERED = 1 << RAX | 1 << RCX | 1 << R11 };
    const greg_t *found = context->uc_mcontext.gregs;
    uint64_t behind = (uint64_t)current->back, rip = (uint64_t)found[REG_RIP];

    if (rip != behind && rip != behind - 2 &&
        (!current->subtract || rip != behind - 2 - MOVED_BYTES))
        complain("rip", current->name, found[REG_RIP]);
    for (int i = 0; i < ALL; i++)
        if (!(CLOBBERED >> i & 1) && (uint64_t)found[OF_CONTEXT[i]] != before[i])
            complain("a register", current->name, found[OF_CONTEXT[i]]);
}

#endif
