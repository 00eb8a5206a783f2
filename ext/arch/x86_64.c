#if defined(__x86_64__)
#include <linux/audit.h>
#include <stddef.h>

#include "arch/abi.h"

extern const int16_t x86_64_numbers[], x86_64_numbers_i386[], x86_64_numbers_x32[];

/* restart_syscall, rt_sigreturn and sigreturn: arch/x86/entry/syscalls/syscall_{64,32}.tbl */
const struct abi ABIS[] = {
    { "x86_64", AUDIT_ARCH_X86_64, 0, 8, UINT64_MAX, 219, 15, -1, x86_64_numbers },
    { "i386", AUDIT_ARCH_I386, 0, 4, UINT32_MAX, 0, 173, 119, x86_64_numbers_i386 },
    { "x32", AUDIT_ARCH_X86_64, 0x40000000, 4, UINT64_MAX, 219, 513, -1, x86_64_numbers_x32 },
    { .name = NULL },
};
#endif
