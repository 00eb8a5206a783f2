/*
 * The code that runs in the program. It is copied there from our own image, so it is one section,
 * refers to nothing outside of it but the table behind it, and uses general registers only: those of
 * AVX are the program's. tests/gate/test_gate.py reads what the compiler made of it.
 *
 * A thread comes from a trampoline with r11 = its address. Natively a system call changes rax, rcx
 * and r11 and nothing else, so until the thread has a stack of ours only rcx and r11 are used, no
 * memory but through gs, and no instruction that changes flags:
 *
 *  1. gs points to a slot? Else the trampoline makes the call itself (it falls back).
 *  2. Take the stack of the slot. May the gate make this call? Else undo all and fall back.
 *  3. Save all registers, ask `before`, and make the call at the one address from which the filter
 *     lets it pass.
 *  4. Save the result, call `after`, and go back behind the site with rcx and r11 as the kernel
 *     leaves them: the address and the flags.
 *
 * No signal handler runs on top of this: the tracer moves the thread out before.
 */
#include "gate/layout.h"

#include <stddef.h>

_Static_assert(offsetof(struct gate_slot, magic) == SLOT_MAGIC, "");
_Static_assert(offsetof(struct gate_slot, self) == SLOT_SELF, "");
_Static_assert(offsetof(struct gate_slot, user_sp) == SLOT_USER_SP, "");
_Static_assert(offsetof(struct gate_slot, stack_top) == SLOT_STACK_TOP, "");
_Static_assert(offsetof(struct gate_slot, trampoline) == SLOT_TRAMPOLINE, "");
_Static_assert(offsetof(struct gate_slot, mode) == SLOT_MODE, "");
_Static_assert(offsetof(struct gate_slot, phase) == SLOT_PHASE, "");
_Static_assert(offsetof(struct gate_slot, result) == SLOT_RESULT, "");
_Static_assert(offsetof(struct gate_slot, registers) == SLOT_REGISTERS, "");
_Static_assert(offsetof(struct gate_slot, flags) == SLOT_FLAGS, "");
_Static_assert(GATE_IDLE == 0 && GATE_BEFORE == 1 && GATE_CALLING == 2 && GATE_RETURNED == 3, "");
_Static_assert(GATE_TRACED == 0, "");

/* Without what compilers add for the image that they compile: it does not exist in the program. */
#define IN_THE_PROGRAM                                                                             \
    __attribute__((section("gate_code"), used, noinline, no_stack_protector,                       \
                   no_sanitize("address"), no_sanitize("undefined"), no_instrument_function,       \
                   no_profile_instrument_function, target("general-regs-only")))

/* Whether the tracer is to see this call after all. */
IN_THE_PROGRAM static int gate_before(struct gate_slot *slot)
{
    return slot->mode == GATE_TRACED;
}

IN_THE_PROGRAM static void gate_after(struct gate_slot *slot)
{
    slot->made++;
    slot->phase = GATE_COMMITTED;
}

#define STRING(text) #text
#define NUMBER(macro) STRING(macro)
#define SLOT(field) "%gs:" NUMBER(SLOT_##field)
#define SAVED(index) "%gs:" NUMBER(SLOT_REGISTERS) " + 8 * " #index
#define PLACE(name) ".globl " #name "\n.hidden " #name "\n" #name ":\n"

/* clang-format off */
__asm__(
    ".pushsection gate_code, \"ax\", @progbits\n"
    PLACE(gate_entry)
    "    mov " SLOT(MAGIC) ", %rcx\n"
    "    lea -" NUMBER(GATE_MAGIC) "(%rcx), %rcx\n"
    "    jrcxz 1f\n"
    "    lea " NUMBER(TRAMPOLINE_CALL) "(%r11), %r11\n"
    "    jmp *%r11\n"
    "1:  mov %rsp, " SLOT(USER_SP) "\n"
    "    mov " SLOT(STACK_TOP) ", %rsp\n"
    PLACE(gate_switched)
    "    pushfq\n"
    PLACE(gate_pushed)
    "    cmpl $0, " SLOT(MODE) "\n"
    "    je 3f\n"
    "    cmp $" NUMBER(GATE_NUMBERS) ", %rax\n"
    "    jae 3f\n"
    "    lea __start_gate_code + " NUMBER(GATE_CODE_BYTES) "(%rip), %rcx\n"
    "    cmpb $0, (%rcx, %rax)\n"
    "    je 3f\n"
    "    mov %r11, " SLOT(TRAMPOLINE) "\n"
    "    mov %rax, " SAVED(0) "\n"
    "    mov %rbx, " SAVED(1) "\n"
    "    mov %rdx, " SAVED(2) "\n"
    "    mov %rsi, " SAVED(3) "\n"
    "    mov %rdi, " SAVED(4) "\n"
    "    mov %rbp, " SAVED(5) "\n"
    "    mov %r8,  " SAVED(6) "\n"
    "    mov %r9,  " SAVED(7) "\n"
    "    mov %r10, " SAVED(8) "\n"
    "    mov %r12, " SAVED(9) "\n"
    "    mov %r13, " SAVED(10) "\n"
    "    mov %r14, " SAVED(11) "\n"
    "    mov %r15, " SAVED(12) "\n"
    "    mov (%rsp), %rcx\n"
    "    mov %rcx, " SLOT(FLAGS) "\n"
    "    movl $1, " SLOT(PHASE) "\n"
    PLACE(gate_saved)
    "    cld\n"
    "    mov " SLOT(SELF) ", %rdi\n"
    "    call gate_before\n"
    "    test %eax, %eax\n"
    "    mov " SAVED(0) ", %rax\n"
    "    mov " SAVED(2) ", %rdx\n"
    "    mov " SAVED(3) ", %rsi\n"
    "    mov " SAVED(4) ", %rdi\n"
    "    mov " SAVED(6) ", %r8\n"
    "    mov " SAVED(7) ", %r9\n"
    "    mov " SAVED(8) ", %r10\n"
    "    jne 2f\n"
    "    movl $2, " SLOT(PHASE) "\n"
    "    syscall\n"
    PLACE(gate_return)
    "    mov %rax, " SLOT(RESULT) "\n"
    "    movl $3, " SLOT(PHASE) "\n"
    PLACE(gate_stored)
    "    mov " SLOT(SELF) ", %rdi\n"
    "    call gate_after\n"
    "    mov " SAVED(2) ", %rdx\n"
    "    mov " SAVED(3) ", %rsi\n"
    "    mov " SAVED(4) ", %rdi\n"
    "    mov " SAVED(6) ", %r8\n"
    "    mov " SAVED(7) ", %r9\n"
    "    mov " SAVED(8) ", %r10\n"
    "    mov " SLOT(RESULT) ", %rax\n"
    "    mov " SLOT(TRAMPOLINE) ", %r11\n"
    "    movslq " NUMBER(TRAMPOLINE_BACK) "(%r11), %rcx\n"
    "    lea " NUMBER(TRAMPOLINE_BACK_END) "(%r11, %rcx), %rcx\n"
    "    mov " SLOT(FLAGS) ", %r11\n"
    PLACE(gate_leave)
    "    popfq\n"
    "    mov " SLOT(USER_SP) ", %rsp\n"
    "    jmp *%rcx\n"
    PLACE(gate_undo)
    "2:  movl $0, " SLOT(PHASE) "\n"
    "    mov " SLOT(TRAMPOLINE) ", %r11\n"
    PLACE(gate_undone_r11)
    "3:  popfq\n"
    PLACE(gate_undone_flags)
    "    mov " SLOT(USER_SP) ", %rsp\n"
    PLACE(gate_undone)
    "    lea " NUMBER(TRAMPOLINE_CALL) "(%r11), %r11\n"
    "    jmp *%r11\n"
    PLACE(gate_end)
    ".popsection\n");
/* clang-format on */
