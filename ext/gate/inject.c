#include "gate/inject.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call/proc.h"

enum {
    CALL_STOP = SIGTRAP | 0x80,
    FILTER_STOP = SIGTRAP | PTRACE_EVENT_SECCOMP << 8,
    EXIT_STOP = SIGTRAP | PTRACE_EVENT_EXIT << 8,
};

/* An injection under way. */
struct injection {
    pid_t tid;
    struct space *space;
    struct user_regs_struct own; /* as the thread stood */
    uint64_t mask;
    bool stopped; /* a SIGSTOP came */
};

static bool get_regs(const struct injection *to, struct user_regs_struct *regs)
{
    return ptrace(PTRACE_GETREGS, to->tid, 0, regs) == 0;
}

static bool set_regs(const struct injection *to, struct user_regs_struct *regs)
{
    return ptrace(PTRACE_SETREGS, to->tid, 0, regs) == 0;
}

static bool wait_for_stop(const struct injection *to, int *status_out)
{
    siginfo_t stop;

    while (waitid(P_PID, (id_t)to->tid, &stop, WSTOPPED | WEXITED | WNOWAIT | __WALL) < 0)
        if (errno != EINTR)
            return false;
    *status_out = stop.si_status;
    return stop.si_code == CLD_TRAPPED || stop.si_code == CLD_STOPPED;
}

/* Another thread has taken a signal that stops the process: ptrace(2), PTRACE_EVENT_STOP. */
static bool is_group_stop(int status)
{
    return status >> 8 == PTRACE_EVENT_STOP && (status & 0xff) != SIGTRAP;
}

/* Have the thread run until that stop, with registers as they are set. False: it is ending. */
static bool run_to(struct injection *to, int request, int wanted)
{
    int status;

    do {
        if (ptrace(request, to->tid, 0, 0) < 0 || !wait_for_stop(to, &status) ||
            status == EXIT_STOP)
            return false;
        to->stopped |= status == SIGSTOP || is_group_stop(status);
    } while (status != wanted);
    return true;
}

/* The same until one of the loader's own stops; `regs_out`: as it stands there. */
static bool run_to_ask(struct injection *to, uint64_t place, struct user_regs_struct *regs_out)
{
    do {
        if (!run_to(to, PTRACE_CONT, FILTER_STOP) || !get_regs(to, regs_out))
            return false;
    } while (regs_out->rip != place);
    return true;
}

/* -- the code --------------------------------------------------------------------------------- */

static bool map_code(struct injection *to, int64_t *result_out)
{
    struct user_regs_struct regs = to->own;

    regs.orig_rax = SYS_mmap;
    regs.rdi = GATE_BASE;
    regs.rsi = GATE_MAPPING_BYTES;
    regs.rdx = PROT_READ | PROT_EXEC;
    regs.r10 = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    regs.r8 = (uint64_t)-1;
    regs.r9 = 0;
    if (!set_regs(to, &regs) || !run_to(to, PTRACE_SYSCALL, CALL_STOP) || !get_regs(to, &regs))
        return false;
    *result_out = (int64_t)regs.rax;
    return true;
}

static bool write_code(const struct injection *to, const uint8_t actions[GATE_NUMBERS])
{
    size_t size = (size_t)(__stop_gate_code - __start_gate_code);

    return memory_write(to->space, to->tid, GATE_BASE, __start_gate_code, size) == 0 &&
           memory_write(to->space, to->tid, GATE_BASE + GATE_CODE_BYTES, actions, GATE_NUMBERS) ==
               0;
}

/* -- the arena -------------------------------------------------------------------------------- */

/* Run the loader. False: the thread is ending. */
static bool load_arena(struct injection *to, const struct arena *arena, int locks, bool *done_out)
{
    struct user_regs_struct regs = to->own;

    regs.rip = gate_address(gate_loader);
    regs.orig_rax = (uint64_t)-1;
    regs.rdi = (uint64_t)arena->id;
    regs.rsi = arena->address;
    regs.rdx = 0;
    regs.r12 = (uint64_t)(int64_t)locks;
    regs.r13 = GATE_LOCKS_BASE;
    if (!set_regs(to, &regs) || !run_to_ask(to, gate_address(gate_loaded), &regs))
        return false;
    *done_out = regs.rbx == arena->address && (locks < 0 || regs.r12 == GATE_LOCKS_BASE);
    return true;
}

/* ---------------------------------------------------------------------------------------------- */

static bool hold_signals(struct injection *to)
{
    uint64_t all = ~(uint64_t)0;

    return ptrace(PTRACE_GETSIGMASK, to->tid, sizeof to->mask, &to->mask) == 0 &&
           ptrace(PTRACE_SETSIGMASK, to->tid, sizeof all, &all) == 0;
}

/* Whether a SIGCONT has come after the SIGSTOP, which would have discarded it (signal(7)). */
static bool is_continued(const struct injection *to)
{
    enum { PENDING_MAX = 32 };
    struct __ptrace_peeksiginfo_args range = { .flags = PTRACE_PEEKSIGINFO_SHARED,
                                               .nr = PENDING_MAX };
    siginfo_t found[PENDING_MAX];

    long count = ptrace(PTRACE_PEEKSIGINFO, to->tid, &range, found);
    for (long i = 0; i < count; i++)
        if (found[i].si_signo == SIGCONT)
            return true;
    return false;
}

/* At a stop of the loader: the call that comes next is the thread's own. */
static bool restore(struct injection *to)
{
    bool restored = set_regs(to, &to->own) &&
                    ptrace(PTRACE_SETSIGMASK, to->tid, sizeof to->mask, &to->mask) == 0;

    if (to->stopped && !is_continued(to))
        syscall(SYS_tgkill, to->tid, to->tid, SIGSTOP);
    return restored;
}

/* At the end of a call that was refused: have the thread make its own call, and stop there again. */
static bool return_to_call(struct injection *to)
{
    struct user_regs_struct regs = to->own, there;

    regs.rip -= CALL_BYTES;
    regs.rax = regs.orig_rax;
    regs.orig_rax = (uint64_t)-1;
    return set_regs(to, &regs) && run_to_ask(to, to->own.rip, &there);
}

/* In another namespace the number of the segment is that of another one, or of none. */
static bool has_same_segments(pid_t tid)
{
    struct raw_stat ours, theirs;
    char path[PROC_PATH];

    proc_path(path, tid, "ns/ipc");
    return proc_stat(path, &theirs) == 0 && proc_stat("/proc/self/ns/ipc", &ours) == 0 &&
           ours.ino == theirs.ino;
}

/* False: the thread is ending. */
static bool inject_all(struct injection *to, const uint8_t *actions, int locks,
                       const struct arena *arena, bool *done_out)
{
    int64_t result = GATE_BASE;

    if (actions && !map_code(to, &result))
        return false;
    bool mapped = result == GATE_BASE && (!actions || write_code(to, actions));
    return mapped ? load_arena(to, arena, actions ? locks : -1, done_out) : return_to_call(to);
}

enum injected inject(pid_t tid, struct space *space, const uint8_t *actions, int locks,
                     const struct arena *arena)
{
    struct injection to = { .tid = tid, .space = space };
    bool done = false;

    if (!has_same_segments(tid))
        return INJECT_REFUSED;
    if (!get_regs(&to, &to.own) || !hold_signals(&to) ||
        !inject_all(&to, actions, locks, arena, &done) || !restore(&to))
        return INJECT_GONE;
    return done ? INJECT_DONE : INJECT_REFUSED;
}
