/*
 * The system call ABIs of this machine. A call is read by the ABI by which it was made, not by that of
 * its process: a 64-bit program may use `int 0x80`.
 */
#ifndef SCOPE_ARCH_ABI_H
#define SCOPE_ARCH_ABI_H

#include <stdint.h>

struct abi {
    const char *name;
    uint32_t audit_arch; /* AUDIT_ARCH_…, as seccomp and PTRACE_GET_SYSCALL_INFO give it */
    uint32_t mark;       /* bits set in the number of every call of this ABI (x32), or 0 */
    uint32_t word;       /* bytes of a pointer, a long and an iovec's length */
    uint64_t
        arguments; /* bits of a register that belong to an argument; the others are undefined */
    int restart_syscall; /* numbers of calls that the tracer handles by themselves */
    int rt_sigreturn, sigreturn;
    const int16_t *numbers; /* by row of syscalls.def, without the mark; -1: this ABI lacks it */
};

/* The first one is the machine's own. Ends with a name of NULL. */
extern const struct abi ABIS[];

#define ABI_NUMBERS 1024 /* numbers are below this */

#endif
