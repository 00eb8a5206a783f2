/* Random numbers that a seed repeats (xorshift64*), for each thread its own. */
#ifndef RANDOM_NUMBERS_H
#define RANDOM_NUMBERS_H

#include <stdint.h>

static __thread uint64_t state;

static uint64_t any(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 2685821657736338717u;
}

static unsigned below(unsigned limit)
{
    return (unsigned)(any() >> 32) % limit;
}

static void seed(uint64_t number)
{
    state = (number + 1) * 0x9e3779b97f4a7c15u;
    any();
}

#endif
