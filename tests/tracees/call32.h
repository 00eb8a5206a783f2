/* The calls of the 32-bit ABI in a 64-bit program: int 0x80 sees the low half of each register. */
#ifndef CALL32_H
#define CALL32_H

static long call32(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

#endif
