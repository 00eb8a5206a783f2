/* Process 1 of a PID namespace faults, in many ways: each must end it as it would untraced. */
#include "expect.h"
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

static const int SIGNALS[] = { SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS, SIGABRT };
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS, SPARED = 7, HANDLED = 40 };

static void handle(int number)
{
    static int faults;
    if (++faults == 3)
        _exit(HANDLED + number);
}

static void ignore_all(void)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        signal(SIGNALS[i], SIG_IGN);
}

static void handle_all(void)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        signal(SIGNALS[i], handle);
}

static void block_all(void)
{
    sigset_t all;
    sigfillset(&all);
    MUST(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
}

static void write_nowhere(void)
{
    *(volatile int *)16 = 1;
}

static void jump_nowhere(void)
{
    ((void (*volatile)(void))NULL)();
}

static void run_no_instruction(void)
{
    __builtin_trap();
}

static void map_too_much(void)
{
    int fd = open("empty", O_CREAT | O_RDWR, 0600);
    volatile char *page = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(page != MAP_FAILED);
    page[0] = 1;
}

/* No fault: the C library sends SIGABRT, which is ignored, and then runs what it may not. */
static void call_abort(void)
{
    abort();
}

/* Nor these: natively a process 1 ignores what it sends itself. */
static void send_itself(void)
{
    raise(SIGSEGV);
    kill(getpid(), SIGKILL);
}

static void send_itself_a_false_fault(void)
{
    siginfo_t info = { .si_signo = SIGSEGV, .si_code = SEGV_MAPERR };
    MUST(syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &info) == 0);
}

#if defined(__x86_64__) || defined(__i386__)
static void run_breakpoint(void)
{
    __asm__ volatile("int3");
}

static void divide_by_zero(void)
{
    __asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; idiv %%ecx" ::
                         : "eax", "ecx", "edx");
}
#endif

static const struct way {
    const char *name;
    void (*go)(void);
} FAULTS[] = {
    { "write", write_nowhere },
    { "jump", jump_nowhere },
    { "instruction", run_no_instruction },
    { "mapping", map_too_much },
    { "abort", call_abort },
    { "sent", send_itself },
    { "queued", send_itself_a_false_fault },
#if defined(__x86_64__) || defined(__i386__)
    { "breakpoint", run_breakpoint },
    { "division", divide_by_zero },
#endif
}, PREPARATIONS[] = {
    { "by default", NULL },
    { "ignored", ignore_all },
    { "blocked", block_all },
    { "handled", handle_all },
};

static void *run(void *fault)
{
    ((const struct way *)fault)->go();
    _exit(SPARED);
}

static void __attribute__((noreturn))
be_number_one(const struct way *fault, const struct way *preparation, bool thread)
{
    pthread_t other;
    if (preparation->go)
        preparation->go();
    if (!thread)
        run((void *)fault);
    MUST(pthread_create(&other, NULL, run, (void *)fault) == 0);
    pthread_join(other, NULL);
    _exit(99);
}

static pid_t make_number_one(void)
{
    unsigned flags = CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD;
    pid_t child = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (child < 0)
        _exit(98); /* not allowed here */
    return child;
}

static void one(const struct way *fault, const struct way *preparation, bool thread)
{
    int status;
    pid_t child = make_number_one();
    if (child == 0)
        be_number_one(fault, preparation, thread);
    MUST(waitpid(child, &status, 0) == child);
    print_line("%s, %s, %d: %x", fault->name, preparation->name, thread, status);
    if (WIFEXITED(status))
        expect("'source': 'proc.exit', 'exit_code': %d, 'pid': %d", WEXITSTATUS(status), child);
    else
        expect("'source': 'proc.exit', 'signal': 'SIG%s', 'core_dumped': %s, 'pid': %d",
               sigabbrev_np(WTERMSIG(status)), WCOREDUMP(status) ? "true" : "false", child);
}

/* One fault, when the test says so; the signal that ended the process is the exit status. */
static int when_asked(void)
{
    int status;
    char byte;
    pid_t child = make_number_one();
    if (child == 0) {
        MUST(write(STDOUT_FILENO, "ready\n", 6) == 6 && read(STDIN_FILENO, &byte, 1) == 1);
        write_nowhere();
    }
    MUST(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(int count, char **arguments)
{
    (void)arguments;
    if (count > 1)
        return when_asked();
    for (size_t fault = 0; fault < sizeof FAULTS / sizeof *FAULTS; fault++)
        for (size_t i = 0; i < sizeof PREPARATIONS / sizeof *PREPARATIONS; i++)
            for (int thread = 0; thread < 2; thread++)
                one(&FAULTS[fault], &PREPARATIONS[i], thread);
    return 0;
}
