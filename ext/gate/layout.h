/*
 * What the code in the program and the tracer both know: where things are, and what a slot contains.
 *
 * The code is copied to GATE_BASE of the program, with a page behind it that says of each number
 * whether the gate may make that call. A slot belongs to one thread: its gs base points there.
 *
 * Assembler needs offsets as numbers: gate.c compares them with the struct.
 */
#ifndef SCOPE_GATE_LAYOUT_H
#define SCOPE_GATE_LAYOUT_H

#include <stdint.h>

#define GATE_BASE 0x70000000   /* below 4 GB, so that an instruction of five bytes can name it */
#define GATE_CODE_BYTES 0x2000 /* room for the code; the table follows */
#define GATE_NUMBERS 512       /* the table has a byte for each number below; others are traced */
#define GATE_BYTES 0x3000      /* of the whole mapping */

#define GATE_MAGIC 0x5a17c0de

enum gate_mode {
    GATE_TRACED, /* no call is made here */
    GATE_PASS,   /* calls are made and counted */
};

/* How far a call is: what a tracer that finds the thread in the gate has to do depends on it. */
enum gate_phase {
    GATE_IDLE,
    GATE_BEFORE,    /* registers are saved */
    GATE_CALLING,   /* it is about to be made, or under way */
    GATE_RETURNED,  /* its result is saved */
    GATE_COMMITTED, /* all that is to be known of it is published */
};

/* The registers of a call, but rcx and r11, which it destroys, and rsp. */
struct gate_registers {
    uint64_t rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15;
};

struct gate_slot {
    uint64_t magic;
    uint64_t self; /* its own address */
    uint64_t user_sp;
    uint64_t stack_top;
    uint64_t trampoline; /* that the thread came by */
    uint32_t mode;       /* enum gate_mode: the tracer writes it */
    uint32_t phase;      /* enum gate_phase */
    uint64_t result;
    struct gate_registers registers; /* as the call found them */
    uint64_t flags;
    uint64_t made; /* calls */
};

enum { GATE_SLOT_BYTES = 4096 }; /* with its stack, which begins at the end */

#define SLOT_MAGIC 0
#define SLOT_SELF 8
#define SLOT_USER_SP 16
#define SLOT_STACK_TOP 24
#define SLOT_TRAMPOLINE 32
#define SLOT_MODE 40
#define SLOT_PHASE 44
#define SLOT_RESULT 48
#define SLOT_REGISTERS 56
#define SLOT_FLAGS 160

#define TRAMPOLINE_BYTES 32
#define TRAMPOLINE_CALL 14     /* where it makes the call itself */
#define TRAMPOLINE_BACK 20     /* how far the place behind the site is, a multiple of 4 */
#define TRAMPOLINE_BACK_END 24 /* from here */

/* Places in the code, as they are in this image. The functions of C may be before and behind them. */
#define GATE_PLACE extern const uint8_t __attribute__((visibility("hidden")))
GATE_PLACE __start_gate_code[];
GATE_PLACE __stop_gate_code[];
GATE_PLACE gate_entry[];        /* where trampolines lead */
GATE_PLACE gate_switched[];     /* rsp is that of the slot */
GATE_PLACE gate_pushed[];       /* the flags are on that stack */
GATE_PLACE gate_saved[];        /* all registers are in the slot */
GATE_PLACE gate_return[];       /* of the call */
GATE_PLACE gate_stored[];       /* its result is in the slot */
GATE_PLACE gate_undo[];         /* the trampoline is to make the call */
GATE_PLACE gate_undone_r11[];   /* r11 is the trampoline again */
GATE_PLACE gate_undone_flags[]; /* the flags are the program's again */
GATE_PLACE gate_undone[];       /* rsp is */
GATE_PLACE gate_end[];          /* of what is written in assembler */

/* Where a place is in the program. */
static inline uint64_t gate_address(const uint8_t *place)
{
    return GATE_BASE + (uint64_t)(place - __start_gate_code);
}

#endif
