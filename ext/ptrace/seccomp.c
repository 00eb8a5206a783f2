#include "ptrace/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "arch/abi.h"
#include "gate/layout.h"

#ifndef F_DUPFD_CLOEXEC
#define F_DUPFD_CLOEXEC 1030
#endif

/* Commands of fcntl(2) as all ABIs of the kernel number them; the C library has but some of each. */
enum { KERNEL_SETLK = 6, KERNEL_SETLKW = 7, KERNEL_SETLK64 = 13, KERNEL_SETLKW64 = 14 };

enum test { TEST_EQUAL, TEST_ANY_BIT, TEST_NO_BIT, TEST_AT_LEAST, TEST_NEITHER, TEST_LOW };

enum { ROWS_OF_A_CALL = 5 };

/*
 * One argument (from 0), and what about it makes the call worth a stop. TEST_NEITHER: not all bits of the
 * first value are set, nor all of the second. TEST_LOW: it is an address below the end of the gate, and of the
 * argument with the number of the first value a bit of the second is set.
 */
static const struct when_test {
    uint8_t argument, test, count;
    uint32_t values[7];
} WHENS[] = {
    [WHEN_FCNTL_DUP] = { 1, TEST_EQUAL, 2, { F_DUPFD, F_DUPFD_CLOEXEC } },
    [WHEN_UNSHARE] = { 0,
                       TEST_ANY_BIT,
                       1,
                       { CLONE_FILES | CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER } },
    [WHEN_NAMED_4] = { 3, TEST_NO_BIT, 1, { AT_EMPTY_PATH } },
    [WHEN_NAMED_3] = { 2, TEST_NO_BIT, 1, { AT_EMPTY_PATH } },
    /* The loader maps a library as a whole, and then parts of it over that (_dl_map_segments in glibc):
     * only it passes MAP_DENYWRITE, which the kernel ignores. */
    [WHEN_MAPS_FILE] = { 3, TEST_NEITHER, 2, { MAP_ANONYMOUS, MAP_FIXED | MAP_DENYWRITE } },
    [WHEN_UNTRACED] = { 0, TEST_ANY_BIT, 1, { CLONE_UNTRACED } },
    [WHEN_SETS_SECCOMP] = { 0, TEST_EQUAL, 1, { PR_SET_SECCOMP } },
    [WHEN_SETS_DUMPABLE] = { 0, TEST_EQUAL, 1, { PR_SET_DUMPABLE } },
    [WHEN_ASKS_ERROR] = { 2, TEST_EQUAL, 1, { SO_ERROR } },
    [WHEN_TRACES] = { 0, TEST_EQUAL, 3, { PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE } },
    [WHEN_LOCKS] = { 1,
                     TEST_EQUAL,
                     7,
                     { KERNEL_SETLK, KERNEL_SETLKW, KERNEL_SETLK64, KERNEL_SETLKW64, F_OFD_SETLK,
                       F_OFD_SETLKW, F_SETLEASE } },
    [WHEN_RIGHTS] = { 0,
                      TEST_EQUAL,
                      5,
                      { PR_SET_KEEPCAPS, PR_CAPBSET_DROP, PR_SET_SECUREBITS, PR_SET_MM,
                        PR_CAP_AMBIENT } },
    [WHEN_SHARED_AT_ONCE] = { 3, TEST_EQUAL, 1, { MAP_SHARED | MAP_POPULATE } },
    [WHEN_MAPS_LOW] = { 0, TEST_LOW, 2, { 3, MAP_FIXED } },
    [WHEN_MOVES] = { 3, TEST_ANY_BIT, 1, { MREMAP_FIXED | MREMAP_DONTUNMAP } },
    [WHEN_DISPATCHES] = { 0, TEST_EQUAL, 1, { PR_SET_SYSCALL_USER_DISPATCH } },
    [WHEN_SETS_LIMIT] = { 2, TEST_ANY_BIT, 1, { UINT32_MAX } },
    [WHEN_LARGE_2] = { 1, TEST_AT_LEAST, 1, { GATE_LARGE_BYTES } },
    [WHEN_LARGE_3] = { 2, TEST_AT_LEAST, 1, { GATE_LARGE_BYTES } },
};

bool when_holds(enum call_when when, const uint64_t args[6])
{
    if (when == WHEN_ALWAYS || when == WHEN_NEVER)
        return when == WHEN_ALWAYS;

    const struct when_test *test = &WHENS[when];
    uint32_t value = (uint32_t)args[test->argument];
    if (test->test == TEST_AT_LEAST)
        return args[test->argument] >= test->values[0];
    if (test->test == TEST_LOW)
        return args[test->argument] < GATE_MAPPINGS_END && args[test->values[0]] & test->values[1];
    if (test->test == TEST_NO_BIT)
        return !(value & test->values[0]);
    if (test->test == TEST_ANY_BIT)
        return value & test->values[0];
    if (test->test == TEST_NEITHER)
        return (value & test->values[0]) != test->values[0] &&
               (value & test->values[1]) != test->values[1];
    for (int i = 0; i < test->count; i++)
        if (value == test->values[i])
            return true;
    return false;
}

struct assembler {
    struct sock_filter *code;
    bool gate;
    int used; /* instructions; beyond FILTER_MAX they are counted, not written */
};

static void emit(struct assembler *to, uint16_t code, uint8_t jump_true, uint8_t jump_false,
                 uint32_t value)
{
    if (to->used < FILTER_MAX)
        to->code[to->used] = (struct sock_filter){ code, jump_true, jump_false, value };
    to->used++;
}

static void emit_return(struct assembler *to, bool stop)
{
    emit(to, BPF_RET | BPF_K, 0, 0, stop ? SECCOMP_RET_TRACE | FILTER_DATA : SECCOMP_RET_ALLOW);
}

static void emit_load(struct assembler *to, size_t offset)
{
    emit(to, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

/* The low or the high half of an argument. */
static size_t argument_offset(int argument, bool high)
{
    bool high_first = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

    return offsetof(struct seccomp_data, args) + 8 * (size_t)argument +
           (high == high_first ? 0 : 4);
}

/* Go on behind the stop that follows if all bits of a value are set. */
static void emit_unless_bits(struct assembler *to, int argument, uint32_t bits, int skipped)
{
    emit_load(to, argument_offset(argument, false));
    emit(to, BPF_ALU | BPF_AND | BPF_K, 0, 0, bits);
    emit(to, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)skipped, 0, bits);
}

static void emit_low(struct assembler *to, const struct when_test *test)
{
    emit_load(to, argument_offset(test->argument, true));
    emit(to, BPF_JMP | BPF_K | BPF_JEQ, 0, 5, 0);
    emit_load(to, argument_offset(test->argument, false));
    emit(to, BPF_JMP | BPF_K | BPF_JGE, 3, 0, GATE_MAPPINGS_END);
    emit_load(to, argument_offset((int)test->values[0], false));
    emit(to, BPF_JMP | BPF_K | BPF_JSET, 0, 1, test->values[1]);
    emit_return(to, true);
}

/* Stop if the test holds, else go on behind it. */
static void emit_test(struct assembler *to, const struct when_test *test)
{
    const uint16_t equal = BPF_JMP | BPF_K | BPF_JEQ, bits = BPF_JMP | BPF_K | BPF_JSET;

    if (test->test == TEST_LOW) {
        emit_low(to, test);
        return;
    }
    if (test->test == TEST_NEITHER) {
        emit_unless_bits(to, test->argument, test->values[0], 4);
        emit_unless_bits(to, test->argument, test->values[1], 1);
        emit_return(to, true);
        return;
    }
    if (test->test == TEST_AT_LEAST) {
        emit_load(to, argument_offset(test->argument, true));
        emit(to, equal, 0, 2, 0);
    }
    emit_load(to, argument_offset(test->argument, false));
    if (test->test == TEST_AT_LEAST) {
        emit(to, BPF_JMP | BPF_K | BPF_JGE, 0, 1, test->values[0]);
    } else if (test->test == TEST_NO_BIT) {
        emit(to, bits, 1, 0, test->values[0]);
    } else {
        for (int i = 0; i < test->count; i++)
            emit(to, test->test == TEST_EQUAL ? equal : bits, (uint8_t)(test->count - i), 0,
                 test->values[i]);
        emit(to, BPF_JMP | BPF_JA, 0, 0, 1);
    }
    emit_return(to, true);
}

uint8_t filter_gate_action(int row)
{
    const struct call *call = &CALLS[row];

    if (call->when == WHEN_NEVER)
        return GATE_REFUSE; /* an operation of another call, which has its number */
    switch (call->group) {
    case GROUP_READ:
        return call->vector ? GATE_IN_VECTOR : GATE_IN;
    case GROUP_WRITE:
        return call->vector ? GATE_OUT_VECTOR : GATE_OUT;
    case GROUP_STAT:
    case GROUP_SEEK:
        return call->when == WHEN_NAMED_4   ? GATE_COUNT_NAMED_4
               : call->when == WHEN_NAMED_3 ? GATE_COUNT_NAMED_3
               : call->answer == EINVAL     ? GATE_COUNT_LINK
                                            : GATE_COUNT;
    case GROUP_ATTR:
        return call->path ? GATE_ALTER : GATE_CHANGE;
    case GROUP_LOCK:
        return call->when == WHEN_LOCKS ? GATE_FCNTL : GATE_WATCH;
    case GROUP_TOUCH:
        return GATE_WATCH;
    case GROUP_CRED:
        return row == ROW_setresuid || row == ROW_setresgid ? GATE_IDS : GATE_REFUSE;
    case GROUP_PERMIT:
        return row == ROW_prlimit64 || row == ROW_setrlimit ? GATE_WATCH : GATE_REFUSE;
    default:
        return row == ROW_open                                   ? GATE_OPEN
               : row == ROW_openat                               ? GATE_OPENAT
               : row == ROW_close                                ? GATE_CLOSE
               : row == ROW_pipe || row == ROW_pipe2             ? GATE_PIPE
               : row == ROW_dup                                  ? GATE_DUP
               : row == ROW_fcntl                                ? GATE_FCNTL
               : row == ROW_sendto                               ? GATE_SEND
               : row == ROW_recvfrom                             ? GATE_RECEIVE
               : row == ROW_sendmsg                              ? GATE_SEND_MESSAGE
               : row == ROW_recvmsg                              ? GATE_RECEIVE_MESSAGE
               : row == ROW_sendfile                             ? GATE_SENDFILE
               : row == ROW_mmap                                 ? GATE_MAP
               : row == ROW_unlink || row == ROW_unlinkat        ? GATE_UNLINK
               : row == ROW_rmdir                                ? GATE_UNLINK
               : row == ROW_link                                 ? GATE_LINK
               : row == ROW_mkdir || row == ROW_mkdirat          ? GATE_MKDIR
               : row == ROW_execve                               ? GATE_EXEC
               : row == ROW_accept || row == ROW_accept4         ? GATE_ACCEPT
               : row == ROW_socket                               ? GATE_SOCKET
               : row == ROW_connect                              ? GATE_CONNECT
               : row == ROW_clone || row == ROW_clone3           ? GATE_CLONE
               : row == ROW_fork || row == ROW_vfork             ? GATE_CLONE
               : row == ROW_shutdown                             ? GATE_SHUTDOWN
               : row == ROW_getsockopt                           ? GATE_SOCKET_ERROR
               : row == ROW_splice || row == ROW_copy_file_range ? GATE_COPY
                                                                 : GATE_REFUSE;
    }
}

struct watched {
    uint32_t number;
    bool gated; /* calls that the gate makes do not stop: those of the program, */
    bool own;   /* those of its own, */
    bool tried; /* and those that it tries first */
    uint8_t count, whens[ROWS_OF_A_CALL]; /* one for each row of this call */
};

/* Let a call pass that the gate makes: by the address to which it returns. */
static void emit_gate(struct assembler *to, uint64_t place)
{
    const size_t offset = offsetof(struct seccomp_data, instruction_pointer);
    const uint16_t equal = BPF_JMP | BPF_K | BPF_JEQ;
    const bool high_first = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

    emit_load(to, offset + (high_first ? 4 : 0));
    emit(to, equal, 0, 3, (uint32_t)place);
    emit_load(to, offset + (high_first ? 0 : 4));
    emit(to, equal, 0, 1, 0);
    emit_return(to, false);
}

static void emit_action(struct assembler *to, const struct watched *call)
{
    bool always = memchr(call->whens, WHEN_ALWAYS, call->count);

    if (call->gated)
        emit_gate(to, gate_address(gate_return));
    if (call->own)
        emit_gate(to, gate_address(gate_own_return));
    if (call->tried)
        emit_gate(to, gate_address(gate_tried));
    for (int i = 0; i < call->count && !always; i++)
        emit_test(to, &WHENS[call->whens[i]]);
    emit_return(to, always);
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = ((const struct watched *)a)->number;
    uint32_t right = ((const struct watched *)b)->number;

    return left < right ? -1 : left > right;
}

/* With the number loaded: halve the list until few are left, then compare one by one. */
static void emit_search(struct assembler *to, const struct watched *calls, int count)
{
    if (count > 4) {
        int half = count / 2;
        emit(to, BPF_JMP | BPF_JGE | BPF_K, 0, 1, calls[half].number);
        int jump = to->used;
        emit(to, BPF_JMP | BPF_JA, 0, 0, 0);
        emit_search(to, calls, half);
        if (jump < FILTER_MAX)
            to->code[jump].k = (uint32_t)(to->used - jump - 1);
        emit_search(to, calls + half, count - half);
        return;
    }
    for (int i = 0; i < count; i++) {
        int test = to->used;
        emit(to, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, calls[i].number);
        emit_action(to, &calls[i]);
        if (test < FILTER_MAX)
            to->code[test].jf = (uint8_t)(to->used - test - 1);
    }
    emit_return(to, false);
}

/* Add a row to the calls that are watched: to its call, if another row of that is there. */
static int add_row(struct watched *calls, int count, uint32_t number, uint8_t when)
{
    struct watched *call = calls;

    while (call < calls + count && call->number != number)
        call++;
    if (call == calls + count)
        *call = (struct watched){ .number = number };
    if (call->count < ROWS_OF_A_CALL)
        call->whens[call->count++] = when;
    else
        call->whens[0] = WHEN_ALWAYS;
    return call == calls + count ? count + 1 : count;
}

static void mark_gated(struct watched *calls, int count, const struct abi *abi)
{
    for (int row = 0; row < ROW_COUNT; row++)
        for (int i = 0; i < count && filter_gate_action(row) != GATE_REFUSE; i++)
            calls[i].gated |= calls[i].number == (uint32_t)abi->numbers[row];
    for (int i = 0; i < count; i++) {
        calls[i].own = calls[i].number == (uint32_t)abi->numbers[ROW_readlink] ||
                       calls[i].number == (uint32_t)abi->numbers[ROW_newfstatat] ||
                       calls[i].number == (uint32_t)abi->numbers[ROW_setfsuid] ||
                       calls[i].number == (uint32_t)abi->numbers[ROW_setfsgid] ||
                       calls[i].number == SYS_process_vm_readv;
        calls[i].tried = calls[i].number == (uint32_t)abi->numbers[ROW_openat2];
    }
}

/* Calls that the tracer has to see where there is a gate: guard_gate of gated_calls.c. */
static int add_guards(struct watched *calls, int count, const struct abi *abi)
{
    static const struct {
        int row;
        enum call_when when;
    } GUARDS[] = {
        { ROW_mmap, WHEN_MAPS_LOW },
        { ROW_mremap, WHEN_MOVES },
        { ROW_prctl, WHEN_DISPATCHES },
    };

    for (size_t i = 0; i < sizeof GUARDS / sizeof *GUARDS; i++)
        count = add_row(calls, count, (uint32_t)abi->numbers[GUARDS[i].row], GUARDS[i].when);
    return count;
}

static void emit_abi(struct assembler *to, const struct abi *abi, const uint8_t modes[ROW_COUNT],
                     const struct copy_plan *plan)
{
    struct watched calls[ROW_COUNT + ABI_NUMBERS];
    int count = 0;

    if (plan &&
        plan->others) { /* all calls stop; the tracer lets those through that are not in it */
        emit_return(to, true);
        return;
    }
    for (int row = 0; row < ROW_COUNT; row++)
        if (filter_stops(modes, row, to->gate) && abi->numbers[row] >= 0 &&
            CALLS[row].when != WHEN_NEVER)
            count = add_row(calls, count, (uint32_t)abi->numbers[row] | abi->mark, CALLS[row].when);
    for (uint32_t number = 0; plan && number < ABI_NUMBERS; number++)
        if (is_recorded_whole(plan, (size_t)(abi - ABIS), number))
            count = add_row(calls, count, number | abi->mark, WHEN_ALWAYS);
    if (to->gate && abi == ABIS) {
        count = add_guards(calls, count, abi);
        mark_gated(calls, count, abi);
    }
    qsort(calls, (size_t)count, sizeof *calls, by_number);
    emit_search(to, calls, count);
}

/* ABIs that share an audit number (x86-64 and x32) share one list: their numbers differ. */
static void emit_audit_arch(struct assembler *to, const struct abi *first,
                            const uint8_t modes[ROW_COUNT], const struct copy_plan *plan)
{
    emit_load(to, offsetof(struct seccomp_data, nr));
    for (const struct abi *abi = first + 1; abi->name; abi++) {
        if (abi->audit_arch != first->audit_arch)
            continue;
        emit(to, BPF_JMP | BPF_JSET | BPF_K, 0, 1, abi->mark);
        int jump = to->used;
        emit(to, BPF_JMP | BPF_JA, 0, 0, 0);
        emit_abi(to, first, modes, plan);
        if (jump < FILTER_MAX)
            to->code[jump].k = (uint32_t)(to->used - jump - 1);
        emit_abi(to, abi, modes, plan);
        return;
    }
    emit_abi(to, first, modes, plan);
}

int filter_build(const uint8_t modes[ROW_COUNT], const struct copy_plan *plan, bool gate,
                 struct sock_filter program[static FILTER_MAX])
{
    struct assembler to = { .code = program, .gate = gate && !plan };

    emit_load(&to, offsetof(struct seccomp_data, arch));
    for (const struct abi *abi = ABIS; abi->name; abi++) {
        if (abi->mark)
            continue;
        emit(&to, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, abi->audit_arch);
        int jump = to.used;
        emit(&to, BPF_JMP | BPF_JA, 0, 0, 0);
        emit_audit_arch(&to, abi, modes, plan);
        if (jump < FILTER_MAX)
            to.code[jump].k = (uint32_t)(to.used - jump - 1);
    }
    emit_return(&to, false);
    return to.used <= FILTER_MAX ? to.used : -E2BIG;
}
