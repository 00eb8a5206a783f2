/*
 * The filter: which calls stop, decided inside the kernel.
 *
 * The ABI and the number are tested first and a constant returned for whatever nobody watches, for
 * the kernel then keeps that verdict in a bitmap and never runs the program for it again
 * (seccomp_cache_prepare in kernel/seccomp.c). Arguments are looked at only below a watched number.
 */
#ifndef SCOPE_PTRACE_SECCOMP_H
#define SCOPE_PTRACE_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table/syscalls.h"

enum { FILTER_MAX = 4096 }; /* BPF_MAXINSNS */

/* The data of our own SECCOMP_RET_TRACE: tells our stops from those of the program's own filter. */
enum { FILTER_DATA = 0x5c0e };

/*
 * Write the filter for `modes` (enum call_mode, by row) to `program`. Returns the number of
 * instructions, or -E2BIG.
 */
int filter_build(const uint8_t modes[ROW_COUNT], struct sock_filter program[static FILTER_MAX]);

/* Whether calls of a row stop: those that are watched, and the one that starts the program. */
static inline bool filter_stops(const uint8_t modes[ROW_COUNT], int row)
{
    return modes[row] != MODE_OFF || row == ROW_execve;
}

/* Whether a call with these arguments is one that `when` lets stop: the filter's tests, in C. */
bool when_holds(enum call_when when, const uint64_t args[6]);

#endif
