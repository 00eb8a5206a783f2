/*
 * One x86-64 instruction: how long it is, and where the CPU goes on after it. All that planning of
 * call sites knows of the machine is here; another machine has this header with its own numbers, and
 * a file beside length.c.
 *
 * A decoder of lengths, no disassembler. What it does not know for certain it calls unknown, and
 * the caller then leaves that code as it is. Besides undefined opcodes, these are unknown:
 *
 *  - what CPUs of different makers read differently (a branch with the prefix 66, ud0, ud1);
 *  - extensions that compilers do not emit unasked (3DNow!, XOP, SSE4a's immediates, APX);
 *  - an instruction that is cut off by the end of the bytes.
 */
#ifndef SCOPE_GATE_LENGTH_H
#define SCOPE_GATE_LENGTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CALL_BYTES = 2,   /* of the instruction that makes a system call, and of a short jump */
    JUMP_BYTES = 5,   /* of a long jump: +-2 GB */
    REACH_BACK = 128, /* of a short jump, from its end */
    REACH_AHEAD = 127,
    ALIGNMENT = 16,  /* of functions */
    CACHE_LINE = 64, /* a jump within one changes for all CPUs at once */
    INT3 = 0xcc,
};

static const uint8_t CALL_CODE[CALL_BYTES] = { 0x0f, 0x05 }; /* syscall */

enum flow {
    FLOW_NEXT,     /* to the next instruction, maybe after a fault */
    FLOW_NOP,      /* likewise, and it does nothing: what compilers align code with */
    FLOW_TRAP,     /* int3, the other thing that they align with */
    FLOW_CALL,     /* to a function, and perhaps back */
    FLOW_SYSCALL,  /* to the kernel, and perhaps back */
    FLOW_BRANCH,   /* to the target or to the next one */
    FLOW_JUMP,     /* to the target */
    FLOW_INDIRECT, /* to an address in a register or in memory */
    FLOW_END,      /* never to the next one: a return, or an instruction that always faults */
};

struct instruction {
    uint8_t length; /* bytes */
    uint8_t flow;   /* enum flow */
    bool names_target;
    /*
     * Whether `target` is set: of branches, jumps and calls to an address that the instruction gives
     * relative to its end, and of operands in memory that it gives so ("rip-relative").
     */
    int32_t target; /* bytes from the end of the instruction */
};

/* Read the instruction at the start of `code`, of which `size` bytes may be read; false: unknown. */
bool read_instruction(const uint8_t *code, size_t size, struct instruction *instruction_out);

/* Whether nothing happens in it: the CPU does not get there, or goes through it to its end. */
static inline bool is_filler(const struct instruction *instruction)
{
    return instruction->flow == FLOW_NOP || instruction->flow == FLOW_TRAP;
}

#endif
