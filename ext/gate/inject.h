/*
 * Puts the gate and an arena into a program, whose only thread stands at a stop of our filter.
 *
 * Nothing of the program is overwritten: the call that it was about to make is turned into an mmap(2),
 * at whose end the code is written there. The thread then runs the loader in that code, which makes the
 * arena's file and maps it; the tracer takes the file by /proc/TID/fd, and has the loader close it.
 *
 * Signals are held meanwhile, since a handler would run in between. SIGSTOP passes any mask: it is held
 * back and sent again. SIGKILL ends the thread, and the injection with it.
 */
#ifndef SCOPE_GATE_INJECT_H
#define SCOPE_GATE_INJECT_H

#include <sys/types.h>

#include "call/memory.h"
#include "gate/arena.h"

enum injected {
    INJECT_DONE,
    INJECT_REFUSED, /* the kernel refused one of its calls, for a limit or as the address is taken */
    INJECT_GONE,    /* the thread is ending, and in another stop */
};

/*
 * `actions`: enum gate_action of each number. After INJECT_DONE and INJECT_REFUSED the thread stands as
 * before, and is about to make its own call.
 */
enum injected inject(pid_t tid, const struct space *space, const uint8_t actions[GATE_NUMBERS],
                     struct arena **arena_out);

#endif
