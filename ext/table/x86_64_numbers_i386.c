#if defined(__x86_64__)
#include <asm/unistd_32.h>
#undef __NR_mmap /* its six arguments lie in memory; programs use mmap2 since 1998 */
#define __NR_mmap -1
#define NUMBERS x86_64_numbers_i386
#include "table/numbers.inc"
#endif
