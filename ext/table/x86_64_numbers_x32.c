#if defined(__x86_64__)
#define __X32_SYSCALL_BIT 0x40000000
#include <asm/unistd_x32.h>
#define NUMBERS x86_64_numbers_x32
#define MARK __X32_SYSCALL_BIT
#include "table/numbers.inc"
#endif
