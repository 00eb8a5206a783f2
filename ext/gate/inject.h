/*
 * Puts the gate and an arena into a program, at a stop of one of its threads by our filter. Its other threads
 * run on meanwhile: no fd is made that they could see.
 *
 * Nothing of the program is overwritten: the call that it was about to make is turned into an mmap(2),
 * at whose end the code is written there. The thread then runs the loader in that code, which maps the
 * arena. A further arena needs the loader alone.
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
    INJECT_REFUSED, /* the kernel refused one of its calls: a limit, the address is taken, other rights */
    INJECT_GONE, /* the thread is ending, and in another stop */
};

/*
 * Map the arena, and if `actions` is not NULL (enum gate_action of each number) before that the code, and after it the
 * locks, whose segment is `locks`. After
 * INJECT_DONE and INJECT_REFUSED the thread stands as before, and is about to make its own call.
 */
enum injected inject(pid_t tid, struct space *space, const uint8_t *actions, int locks,
                     const struct arena *arena);

#endif
