/*
 * The code that runs in the program. It is copied there from our own image, so it is one section,
 * refers to nothing outside of it but the table behind it, and uses general registers only: those of
 * AVX are the program's. tests/gate/test_gate.py reads what the compiler made of it.
 *
 * A thread comes from a trampoline with r11 = its address. Natively a system call changes rax, rcx
 * and r11 and nothing else, so until the thread has a stack of ours only rcx and r11 are used, no
 * memory but through gs, and no instruction that changes flags:
 *
 *  1. gs points to a slot? Else the trampoline makes the call itself (it falls back). Threads that were
 *     there before the gate have a base of 0 until the tracer has seen them.
 *  2. Take the stack of the slot. May the gate make this call? Else undo all and fall back.
 *  3. Save all registers, ask `before`, and make the call at the one address from which the filter
 *     lets it pass. An open may be tried first in a form that says more (struct gate_try).
 *  4. Save the result, call `after`, and go back behind the site with rcx and r11 as the kernel
 *     leaves them: the address and the flags.
 *
 * No signal handler runs on top of this: the tracer moves the thread out before.
 */
#include "gate/in_program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

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
_Static_assert(offsetof(struct gate_slot, try) == SLOT_TRY, "");
_Static_assert(offsetof(struct gate_slot, tally) == SLOT_TALLY, "");
_Static_assert(offsetof(struct gate_slot, record_end) == SLOT_RECORD_END, "");
_Static_assert(offsetof(struct gate_try, dirfd) == 8 && offsetof(struct gate_try, flags) == 24, "");
_Static_assert(GATE_IDLE == 0 && GATE_BEFORE == 1 && GATE_CALLING == 2 && GATE_RETURNED == 3, "");
_Static_assert(GATE_TRACED == 0, "");

/* Numbers for assembler. */
#define ASK_NUMBER 101   /* ptrace */
#define ASK_REQUEST 16   /* PTRACE_ATTACH */
#define TRY_NUMBER 437   /* openat2 */
#define TRY_HOW_BYTES 24 /* struct open_how */
#define TRY_FAILED -40   /* ELOOP */
#define LOADER_ATTACH 30
#define LOADER_ADVISE 28
#define LOADER_ADVICE 16

_Static_assert(ASK_NUMBER == SYS_ptrace && ASK_REQUEST == PTRACE_ATTACH, "");
_Static_assert(TRY_NUMBER == SYS_openat2 && TRY_HOW_BYTES == sizeof(struct open_how), "");
_Static_assert(TRY_FAILED == -ELOOP, "");
_Static_assert(LOADER_ATTACH == SYS_shmat, "");
_Static_assert(LOADER_ADVISE == SYS_madvise && LOADER_ADVICE == MADV_DONTDUMP, "");

#define STRING(text) #text
#define NUMBER(macro) STRING(macro)
#define SLOT(field) "%gs:" NUMBER(SLOT_##field)
#define SAVED(index) "%gs:" NUMBER(SLOT_REGISTERS) " + 8 * " #index
#define TRY(index) "%gs:" NUMBER(SLOT_TRY) " + 8 * " #index
/* A call that always stops, with arguments by which it would do nothing if it were made. */
#define ASK                                                                                        \
    "    mov $" NUMBER(ASK_NUMBER) ", %eax\n"                                                      \
                                   "    mov $" NUMBER(ASK_REQUEST) ", %edi\n"                      \
                                                                   "    xor %esi, %esi\n"          \
                                                                   "    syscall\n"
#define PLACE(name) ".globl " #name "\n.hidden " #name "\n" #name ":\n"

/* clang-format off */
__asm__(
    ".pushsection gate_code, \"ax\", @progbits\n"
    PLACE(gate_entry)
    "    rdgsbase %rcx\n"
    "    jrcxz 8f\n"
    PLACE(gate_load)
    "    mov " SLOT(MAGIC) ", %rcx\n"
    "    lea -" NUMBER(GATE_MAGIC) "(%rcx), %rcx\n"
    "    jrcxz 1f\n"
    "8:  lea " NUMBER(TRAMPOLINE_CALL) "(%r11), %r11\n"
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
    "    movq $0, " SLOT(TALLY) "\n" /* of the call before, which this one is not to be taken for */
    "    movq $0, " SLOT(RECORD_END) "\n"
    "    movl $1, " SLOT(PHASE) "\n"
    PLACE(gate_saved)
    "    cld\n"
    "    mov " SLOT(SELF) ", %rdi\n"
    "    call gate_before\n"
    "    cmp $1, %eax\n"
    "    mov " SAVED(0) ", %rax\n"
    "    mov " SAVED(2) ", %rdx\n"
    "    mov " SAVED(3) ", %rsi\n"
    "    mov " SAVED(4) ", %rdi\n"
    "    mov " SAVED(6) ", %r8\n"
    "    mov " SAVED(7) ", %r9\n"
    "    mov " SAVED(8) ", %r10\n"
    "    je 2f\n"
    "    jb 6f\n"
    "    mov $" NUMBER(TRY_NUMBER) ", %eax\n"
    "    mov " TRY(1) ", %rdi\n"
    "    mov " TRY(2) ", %rsi\n"
    "    mov " SLOT(SELF) ", %rdx\n"
    "    lea " NUMBER(SLOT_TRY) " + 8 * 3(%rdx), %rdx\n"
    "    mov $" NUMBER(TRY_HOW_BYTES) ", %r10d\n"
    "    movl $2, " SLOT(PHASE) "\n"
    "    syscall\n"
    PLACE(gate_tried)
    "    cmp $" NUMBER(TRY_FAILED) ", %rax\n"
    "    jne 7f\n"
    PLACE(gate_retry)
    "    movq $0, " TRY(0) "\n"
    "    mov " SAVED(0) ", %rax\n"
    "    mov " SAVED(2) ", %rdx\n"
    "    mov " SAVED(3) ", %rsi\n"
    "    mov " SAVED(4) ", %rdi\n"
    "    mov " SAVED(8) ", %r10\n"
    "6:  movl $2, " SLOT(PHASE) "\n"
    "    syscall\n"
    PLACE(gate_return)
    "7:\n"
    "    mov %rax, " SLOT(RESULT) "\n"
    "    movl $3, " SLOT(PHASE) "\n"
    PLACE(gate_stored)
    "    mov " SLOT(SELF) ", %rdi\n"
    "    call gate_after\n"
    "    test %eax, %eax\n"
    "    je 4f\n"
    ASK
    PLACE(gate_asked)
    "4:\n"
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
    /* The tracer has set rdi, rsi and rdx for shmat(2), what it returns stays in rbx; and r12 and r13 for the locks,
       likewise in r12. */
    PLACE(gate_loader)
    "    mov $" NUMBER(LOADER_ATTACH) ", %eax\n"
    "    syscall\n"
    "    mov %rax, %rbx\n"
    "    cmp %rsi, %rax\n"
    "    jne 5f\n"
    "    mov %rax, %rdi\n"
    "    mov $" NUMBER(GATE_ARENA_BYTES) ", %esi\n"
    "    mov $" NUMBER(LOADER_ADVICE) ", %edx\n"
    "    mov $" NUMBER(LOADER_ADVISE) ", %eax\n"
    "    syscall\n"
    "    mov %r12, %rdi\n"
    "    mov %r13, %rsi\n"
    "    xor %edx, %edx\n"
    "    mov $" NUMBER(LOADER_ATTACH) ", %eax\n"
    "    syscall\n"
    "    mov %rax, %r12\n"
    "5:\n"
    ASK
    PLACE(gate_loaded)
    PLACE(gate_end)

    /* int64_t gate_copy_text(uint8_t *to, uint64_t from, uint64_t most): how long it is without its NUL, or
       `most`; -1: the program has unmapped it, and the tracer leads the thread to gate_copy_fault. */
    PLACE(gate_copy_text)
    "    xor %eax, %eax\n"
    "1:  cmp %rdx, %rax\n"
    "    jae 2f\n"
    "    mov (%rsi, %rax), %cl\n"
    "    test %cl, %cl\n"
    "    je 2f\n"
    "    mov %cl, (%rdi, %rax)\n"
    "    inc %rax\n"
    "    jmp 1b\n"
    "2:  ret\n"

    /* int64_t gate_copy_bytes(uint8_t *to, uint64_t from, uint64_t size): 0 or, likewise, -1 */
    PLACE(gate_copy_bytes)
    "    mov %rdx, %rcx\n"
    "    rep movsb\n"
    "    xor %eax, %eax\n"
    PLACE(gate_copy_end)
    "    ret\n"
    PLACE(gate_copy_fault)
    "    mov $-1, %rax\n"
    "    ret\n"

    /* int64_t gate_make_call(uint64_t number, uint64_t first, uint64_t second, uint64_t third, uint64_t fourth,
                              uint64_t fifth): a sixth one is 0 */
    PLACE(gate_make_call)
    "    mov %rdi, %rax\n"
    "    mov %rsi, %rdi\n"
    "    mov %rdx, %rsi\n"
    "    mov %rcx, %rdx\n"
    "    mov %r8, %r10\n"
    "    mov %r9, %r8\n"
    "    xor %r9d, %r9d\n"
    "    syscall\n"
    PLACE(gate_own_return)
    "    ret\n"
    ".popsection\n");
/* clang-format on */
