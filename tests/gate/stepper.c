/*
 * Preloaded into the recorder: it sends a thread a signal at the instruction that the program asks for,
 * while the recorder's own code traces it. For that it makes single steps where the recorder has the
 * thread run on.
 *
 * The program asks by queueing SIGRTMAX to itself, with the address of a struct step_request, and the
 * signal never comes. Whether the instruction was reached is written to the file STEPPER_REPORT.
 */
#include "stepper.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gate/layout.h"

enum {
    TRAP_FLAG = 0x100,
    PUSHFQ = 0x9c,
    STEP_TRAPS_MAX = 2 /* TRAP_TRACE; TRAP_BRKPT is 1: behind a call */
};

static const uint8_t CALL[] = { 0x0f, 0x05 };

/* The step that was asked for last. Only the tracer's one thread comes here. */
static struct {
    struct step_request request;
    pid_t tid;     /* 0: none is asked for */
    pid_t next_of; /* the process that is to have `next_signal`, or 0 */
    bool begun;
    uint64_t steps;
} step;

static long make_request(int request, pid_t tid, void *address, void *data)
{
    static long (*real)(int, pid_t, void *, void *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "ptrace");
    return real(request, tid, address, data);
}

static void report(char what)
{
    int file = open(getenv("STEPPER_REPORT"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (file < 0 || write(file, &what, 1) != 1)
        abort();
    close(file);
}

static bool read_memory(pid_t tid, uint64_t address, void *to, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", tid);
    int file = open(path, O_RDWR | O_CLOEXEC);
    bool done = file >= 0 && pread(file, to, size, (off_t)address) == (ssize_t)size;
    close(file);
    return done;
}

/* -- steps ------------------------------------------------------------------------------------ */

/* The kernel takes the flag by which we step for the program's own behind a popfq. */
static void clear_trap_flag(pid_t tid, struct user_regs_struct *regs)
{
    regs->eflags &= ~(uint64_t)TRAP_FLAG;
    make_request(PTRACE_SETREGS, tid, NULL, regs);
}

/* Hide that flag where the last instruction has copied it: a call, or pushfq if `pushes`. */
static void hide_trap_flag(pid_t tid, struct user_regs_struct *regs, bool pushes)
{
    uint64_t pushed;
    uint8_t last[2] = { 0 };

    read_memory(tid, regs->rip - sizeof last, last, sizeof last);
    if (!memcmp(last, CALL, sizeof last))
        regs->r11 &= ~(uint64_t)TRAP_FLAG;
    clear_trap_flag(tid, regs);
    if (pushes && read_memory(tid, regs->rsp, &pushed, sizeof pushed))
        make_request(PTRACE_POKEDATA, tid, (void *)regs->rsp,
                     (void *)(pushed & ~(uint64_t)TRAP_FLAG));
}

static bool await_stop(pid_t tid, siginfo_t *stop)
{
    while (waitid(P_PID, (id_t)tid, stop, WSTOPPED | WEXITED | WNOWAIT | __WALL) < 0)
        if (errno != EINTR)
            return false;
    return stop->si_code == CLD_TRAPPED && stop->si_status == SIGTRAP;
}

/* Make one step. False: another stop came first, which is the recorder's. */
static bool make_step(pid_t tid, long signal, struct user_regs_struct *regs)
{
    siginfo_t stop, info;
    uint8_t next = 0;

    read_memory(tid, regs->rip, &next, sizeof next);
    if (make_request(PTRACE_SINGLESTEP, tid, NULL, (void *)signal) < 0 || !await_stop(tid, &stop) ||
        make_request(PTRACE_GETSIGINFO, tid, NULL, &info) < 0 || info.si_code <= 0 ||
        info.si_code > STEP_TRAPS_MAX)
        return false;
    waitid(P_PID, (id_t)tid, &stop, WSTOPPED | __WALL);
    make_request(PTRACE_GETREGS, tid, NULL, regs);
    hide_trap_flag(tid, regs, next == PUSHFQ);
    return true;
}

static bool is_injection(const struct user_regs_struct *regs)
{
    return regs->orig_rax == SYS_mmap && regs->rdi == GATE_BASE;
}

static bool is_in_gate(const struct user_regs_struct *regs)
{
    return regs->rip - GATE_BASE < GATE_BYTES;
}

/* Whether this instruction is the one; or the last one, behind which no other is. */
static bool is_over(const struct user_regs_struct *regs)
{
    bool injects = !step.request.start;

    step.begun |= injects ? is_injection(regs) : regs->rip == step.request.start;
    if (!step.begun)
        return false;
    bool behind = injects ? step.steps > 1 && !is_in_gate(regs) : regs->rip == step.request.end;
    bool here = !behind && step.steps++ == step.request.number;
    if (!behind && !here)
        return false;
    if (here)
        syscall(SYS_tgkill, step.tid, step.tid, step.request.signal);
    report(here ? '1' : '0');
    step.next_of = here && step.request.next_signal ? step.tid : 0;
    step.tid = 0;
    return true;
}

/* Have the thread run until its step is over, or another stop comes. */
static long run_on(int request, pid_t tid, void *data)
{
    struct user_regs_struct regs;
    long signal = (long)data;

    make_request(PTRACE_GETREGS, tid, NULL, &regs);
    while (!is_over(&regs)) {
        bool waits = !step.request.start && !step.begun;
        if (request == PTRACE_SYSCALL || waits)
            break;
        if (!make_step(tid, signal, &regs)) {
            if (make_request(PTRACE_GETREGS, tid, NULL, &regs) == 0)
                hide_trap_flag(tid, &regs, false);
            return 0;
        }
        signal = 0;
    }
    return make_request(request, tid, NULL, (void *)signal);
}

/* -- what the recorder calls -------------------------------------------------------------------- */

/* Whether the signal that is to be delivered asks for a step. */
static bool take_request(pid_t tid, void *signal)
{
    siginfo_t info;

    if ((long)signal != SIGRTMAX || make_request(PTRACE_GETSIGINFO, tid, NULL, &info) < 0 ||
        !read_memory(tid, (uint64_t)info.si_ptr, &step.request, sizeof step.request))
        return false;
    step.tid = tid;
    step.begun = false;
    step.steps = 0;
    return true;
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list rest;

    va_start(rest, request);
    pid_t tid = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (request != PTRACE_CONT && request != PTRACE_SYSCALL)
        return make_request((int)request, tid, address, data);
    if (take_request(tid, data))
        data = NULL;
    if (tid == step.next_of) {
        step.next_of = 0;
        kill(tid, step.request.next_signal);
    }
    return tid == step.tid ? run_on((int)request, tid, data)
                           : make_request((int)request, tid, address, data);
}
