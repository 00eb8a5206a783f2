/*
 * Which calls are recorded whole (RAW_CALL), and what of a program's memory is copied for each.
 *
 * The plan comes from scopetrace/syscalls/, which knows what the arguments of every call are; here it is
 * rows of numbers, and no call has a name.
 */
#ifndef SCOPE_TABLE_COPY_PLAN_H
#define SCOPE_TABLE_COPY_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/abi.h"

enum { ABI_COUNT = 3, CALL_ARGUMENTS = 6, NO_ARGUMENT = 255 };

enum copy_phase { COPY_AT_ENTRY, COPY_AT_EXIT };

/* How much is copied, and from where: `Rule` in scopetrace/syscalls/copies.py says it for each. */
enum copy_rule {
    COPY_FIXED = 1,
    COPY_STRING,
    COPY_LENGTH,
    COPY_RESULT,
    COPY_LENGTH_AT,
    COPY_STRINGS,
    COPY_IOVEC,
    COPY_MSGHDR,
    COPY_MMSGHDR,
    COPY_BITS,
    COPY_POINTERS,
    COPY_IOCTL,
    COPY_SOCKETCALL,
};

/* One thing to copy, laid out as `PACKED` in scopetrace/syscalls/copies.py. */
struct copy {
    uint8_t abi, phase, argument, rule;
    uint16_t number;
    uint8_t length; /* the argument that says how many elements there are, or NO_ARGUMENT */
    uint8_t when;   /* copy only if args[when] & mask == value; NO_ARGUMENT: always */
    int16_t
        through; /* ≥ 0: the address is the pointer at this offset of what the argument points to */
    uint16_t most; /* bytes that are copied at most; 0: as the rule has it */
    uint32_t size; /* bytes, or bytes of one element */
    uint32_t mask, value;
};
_Static_assert(sizeof(struct copy) == 24, "a row of the plan is 24 bytes");

/* Of each number of each ABI: how many arguments the call has; NOT_RECORDED: it is not recorded. */
enum { NOT_RECORDED = 255 };
typedef uint8_t call_arguments[ABI_COUNT][ABI_NUMBERS];

struct copy_plan {
    call_arguments arguments;
    bool others;      /* calls with numbers that no ABI has are recorded as well */
    uint32_t snaplen; /* most bytes copied of one buffer */
    uint32_t first[ABI_COUNT]
                  [ABI_NUMBERS + 1]; /* in `copies`; the end of a call is the next one's */
    size_t count;
    struct copy copies[];
};

/* A plan with a copy of `copies`, sorted by ABI and number; NULL without memory. */
struct copy_plan *copy_plan_new(const struct copy *copies, size_t count,
                                const call_arguments arguments, bool others, uint32_t snaplen);

/* Whether calls of this number, without the mark of its ABI, are recorded. */
static inline bool is_recorded_whole(const struct copy_plan *plan, size_t abi, uint64_t number)
{
    if (number >= ABI_NUMBERS)
        return plan->others;
    return plan->arguments[abi][number] != NOT_RECORDED;
}

#endif
