/* Functions of C that are copied into the program with the gate. */
#ifndef SCOPE_GATE_IN_PROGRAM_H
#define SCOPE_GATE_IN_PROGRAM_H

#include "gate/layout.h"

/*
 * Without what compilers add for the image that they compile: it does not exist in the program. Functions are not
 * inlined unless they say so, as two constants side by side would become one in memory.
 */
#define PROGRAM_CODE                                                                               \
    section("gate_code"), no_stack_protector, no_sanitize("address"), no_sanitize("undefined"),    \
        no_instrument_function, no_profile_instrument_function, target("general-regs-only")

#define IN_THE_PROGRAM __attribute__((PROGRAM_CODE, used, noinline))
#define INLINE_IN_THE_PROGRAM static inline __attribute__((PROGRAM_CODE, always_inline))

#define HIDDEN __attribute__((visibility("hidden")))

/* What gate_before answers: numbers for assembler. */
enum gate_how {
    GATE_MAKE,       /* the gate makes the call */
    GATE_TRACE_CALL, /* the trampoline makes it, and the tracer sees it */
    GATE_TRY,        /* the gate makes the call of slot.try, and perhaps the program's after it */
};

/* gate_calls.c, called by gate.c: before and after the call of a slot. */
HIDDEN int gate_before(struct gate_slot *slot);
HIDDEN int gate_after(struct gate_slot *slot);

/* gate.c, called by the files of gate_calls.h */
HIDDEN int64_t gate_copy_text(uint8_t *to, uint64_t from, uint64_t most);
HIDDEN int64_t gate_copy_bytes(uint8_t *to, uint64_t from, uint64_t size);
HIDDEN int64_t gate_make_call(uint64_t number, uint64_t first, uint64_t second, uint64_t third,
                              uint64_t fourth, uint64_t fifth);

#endif
