#pragma once

#include <stdint.h>

/* Eight bytes of a text looked at as one number. */

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS (0x80 * EACH_BYTE)

/* Whether one of eight bytes is less than `least`, which is 128 at most
 * (https://graphics.stanford.edu/~seander/bithacks.html#HasLessInWord). */
static inline uint64_t has_less(uint64_t eight, uint8_t least)
{
    return (eight - least * EACH_BYTE) & ~eight & HIGH_BITS;
}

/* Whether one of eight bytes may not stand in a text of JSON as it is: a control character, a quote
 * or a backslash. */
static inline uint64_t has_escape(uint64_t eight)
{
    return has_less(eight, ' ') | has_less(eight ^ ('"' * EACH_BYTE), 1) |
           has_less(eight ^ ('\\' * EACH_BYTE), 1);
}
