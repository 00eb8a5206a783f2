/*
 * Preloaded into the recorder: it sends a thread a signal at the instruction that the program asks for,
 * while the recorder's own code traces it. For that it makes single steps where the recorder has the
 * thread run on. As a step takes many times as long as a breakpoint, the thread runs to the last
 * instruction that is known from the requests before.
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
    BREAKPOINT = 0xcc,
    STEP_TRAPS_MAX = 2, /* TRAP_TRACE; TRAP_BRKPT is 1: behind a call */
    PLACES_MAX = 1 << 14
};

static const uint8_t CALL[] = { 0x0f, 0x05 };

/* The step that was asked for last. Only the tracer's one thread comes here. */
static struct {
    struct step_request request;
    pid_t tid;           /* 0: none is asked for */
    pid_t next_of;       /* the process that is to have `next_signal`, or 0 */
    bool begun, strayed; /* strayed: by another way than the requests before */
    uint64_t steps;
} step;

/*
 * Where the instructions of a call are, as its requests have found. A request for NO_INSTRUCTION comes
 * before those of another call, or of a call whose instructions have become others.
 */
static struct {
    uint64_t at[PLACES_MAX], count;
} places;

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

static int open_memory(pid_t tid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/mem", tid);
    return open(path, O_RDWR | O_CLOEXEC);
}

static bool read_memory(pid_t tid, uint64_t address, void *to, size_t size)
{
    int file = open_memory(tid);
    bool done = file >= 0 && pread(file, to, size, (off_t)address) == (ssize_t)size;

    close(file);
    return done;
}

static void write_byte(pid_t tid, uint64_t address, uint8_t byte)
{
    int file = open_memory(tid);

    if (file < 0 || pwrite(file, &byte, sizeof byte, (off_t)address) != sizeof byte)
        abort();
    close(file);
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

/* -- runs to a known place ---------------------------------------------------------------------- */

static void set_breakpoint(pid_t tid, uint64_t address, uint8_t *code_out)
{
    if (!read_memory(tid, address, code_out, sizeof *code_out))
        abort();
    write_byte(tid, address, BREAKPOINT);
}

/* Whether the stop is that of a breakpoint; the thread is then to go on at its address. */
static bool is_at_breakpoint(pid_t tid, struct user_regs_struct *regs)
{
    siginfo_t info;

    if (make_request(PTRACE_GETSIGINFO, tid, NULL, &info) < 0 || info.si_code != SI_KERNEL)
        return false;
    return make_request(PTRACE_GETREGS, tid, NULL, regs) == 0 && regs->rip--;
}

/*
 * Have the thread run to an address, or to the end of the call if it does not come there. False: another
 * stop came first, which is the recorder's.
 */
static bool run_to(pid_t tid, uint64_t address, long signal, struct user_regs_struct *regs)
{
    const uint64_t stops[] = { address, step.request.end };
    const int count = address == step.request.end ? 1 : 2;
    uint8_t code[2];
    siginfo_t stop;

    for (int i = 0; i < count; i++)
        set_breakpoint(tid, stops[i], &code[i]);
    bool stopped =
        make_request(PTRACE_CONT, tid, NULL, (void *)signal) == 0 && await_stop(tid, &stop);
    for (int i = 0; i < count; i++)
        write_byte(tid, stops[i], code[i]);
    if (!stopped || !is_at_breakpoint(tid, regs))
        return false;
    waitid(P_PID, (id_t)tid, &stop, WSTOPPED | __WALL);
    make_request(PTRACE_SETREGS, tid, NULL, regs);
    return true;
}

static bool came_before(uint64_t number)
{
    for (uint64_t i = 0; i < number; i++)
        if (places.at[i] == places.at[number])
            return true;
    return false;
}

/* The last known instruction, at most that which is asked for, that the call comes to only then. */
static uint64_t last_known(void)
{
    uint64_t number = places.count ? places.count - 1 : 0;

    if (number > step.request.number)
        number = step.request.number;
    while (number && came_before(number))
        number--;
    return number;
}

/* Have the thread run to where its steps begin. False: another stop came first. */
static bool begin_steps(pid_t tid, int request, long *signal, struct user_regs_struct *regs)
{
    const bool none = step.request.number == NO_INSTRUCTION;
    const uint64_t known = last_known();
    const uint64_t place = none           ? step.request.end
                           : places.count ? places.at[known]
                                          : step.request.start;

    if (regs->rip != place && request == PTRACE_CONT) {
        if (!run_to(tid, place, *signal, regs))
            return false;
        *signal = 0;
    }
    if (regs->rip == place || regs->rip == step.request.end) {
        step.begun = true;
        step.strayed = regs->rip != place;
        step.steps = known;
    }
    return true;
}

/* -- the instruction that is asked for ----------------------------------------------------------- */

static bool is_injection(const struct user_regs_struct *regs)
{
    return regs->orig_rax == SYS_mmap && regs->rdi == GATE_BASE;
}

static bool is_in_gate(const struct user_regs_struct *regs)
{
    return regs->rip - GATE_BASE < GATE_BYTES;
}

static void note_place(uint64_t address)
{
    if (step.steps >= PLACES_MAX)
        abort();
    places.at[step.steps] = address;
    if (places.count <= step.steps)
        places.count = step.steps + 1;
}

/* Whether the thread is behind the last instruction. */
static bool is_behind(const struct user_regs_struct *regs)
{
    return step.request.start ? regs->rip == step.request.end : step.steps > 1 && !is_in_gate(regs);
}

static void end_step(char end)
{
    if (end == STEP_MADE)
        syscall(SYS_tgkill, step.tid, step.tid, step.request.signal);
    report(end);
    step.next_of = end == STEP_MADE && step.request.next_signal ? step.tid : 0;
    step.tid = 0;
    if (end == STEP_STRAYED)
        places.count = 0;
}

/* Whether this instruction is the one; or the last one, behind which no other is. */
static bool is_over(const struct user_regs_struct *regs)
{
    if (!step.request.start)
        step.begun |= is_injection(regs);
    if (!step.begun)
        return false;
    bool behind = is_behind(regs);
    if (!behind && step.request.start)
        note_place(regs->rip);
    bool here = !behind && step.steps++ == step.request.number;
    if (behind || here)
        end_step(here ? STEP_MADE : step.strayed ? STEP_STRAYED : STEP_BEHIND);
    return behind || here;
}

/* Have the thread run until its step is over, or another stop comes. */
static long run_on(int request, pid_t tid, void *data)
{
    struct user_regs_struct regs;
    long signal = (long)data;

    make_request(PTRACE_GETREGS, tid, NULL, &regs);
    if (step.request.start && !step.begun && !begin_steps(tid, request, &signal, &regs))
        return 0;
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
    step.begun = step.strayed = false;
    step.steps = 0;
    if (step.request.number == NO_INSTRUCTION)
        places.count = 0;
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
