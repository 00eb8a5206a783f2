/*
 * The filter: which calls stop, decided inside the kernel.
 *
 * The program tests ABI and number first and returns a constant for calls that are not watched: for
 * these the kernel keeps the action in a bitmap and does not run the program again
 * (seccomp_cache_prepare in kernel/seccomp.c). Arguments are tested only after a watched number.
 */
#ifndef SCOPE_PTRACE_SECCOMP_H
#define SCOPE_PTRACE_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/copy_plan.h"
#include "table/syscalls.h"

enum { FILTER_MAX = 4096 }; /* BPF_MAXINSNS */

/* The data of our SECCOMP_RET_TRACE, by which our stops differ from those of the program's filters. */
enum { FILTER_DATA = 0x5c0e };

/*
 * Write the filter for `modes` (enum call_mode, by row) to `program`. It stops the calls that `plan` (or
 * NULL) records whole as well. `gate`: without a plan, watched calls that the gate makes do not stop.
 * Returns the number of instructions, or -E2BIG.
 */
int filter_build(const uint8_t modes[ROW_COUNT], const struct copy_plan *plan, bool gate,
                 struct sock_filter program[static FILTER_MAX]);

/* What the gate may do with calls of a row: enum gate_action. */
uint8_t filter_gate_action(int row);

/*
 * Whether calls of a row stop: those that are watched, the one that starts the program, and with the gate
 * those that may send a signal that ends a process (fatal_signals.c), and that by which the gate asks the
 * tracer (gate.c).
 */
static inline bool filter_stops(const uint8_t modes[ROW_COUNT], int row, bool gate)
{
    return modes[row] != MODE_OFF || row == ROW_execve ||
           (gate && (CALLS[row].signal || row == ROW_ptrace));
}

/* Whether a call with these arguments stops by `when`: the tests of the filter, in C. */
bool when_holds(enum call_when when, const uint64_t args[6]);

#endif
