/*
 * Signals at every instruction of a call, in blocked calls, for threads that are cancelled, and in a
 * storm of PASSES over a file: signals PASSES. What handlers see and what calls return is compared
 * with what it must be, and the lines must be the same in the gate as natively. The handler makes
 * calls of its own, which go through the gate again.
 *
 * The tracer is asked for a signal at an instruction (tracer.c); natively there is nobody to ask.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "interrupted.h"

enum { STEP = 0x1234 };

static volatile sig_atomic_t handled;
static int zero;

/* Calls of a handler. */
static void make_calls(void)
{
    char byte = 1;
    struct iovec parts[] = { { &byte, 1 } };

    if (read(zero, &byte, 1) != 1 || byte || readv(zero, parts, 1) != 1 || close(-1) != -1)
        complain("a call", "the handler", errno);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved = errno;

    (void)number, (void)info;
    handled++;
    if (current)
        check_context(context);
    make_calls();
    errno = saved;
}

static void handle(int number, int flags)
{
    struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

    sigaction(number, &action, NULL);
}

/* -- at every instruction --------------------------------------------------------------------- */

enum { NEW_FD = 1000 }; /* stands for the number that an open is to return */
static const char DEVICE[] = "/dev/zero", LINK[] = "/proc/self/exe", NOWHERE[] = "/nowhere";

/* Arguments that are 0 are those of the file and of a buffer. */
static const struct step_case {
    struct call call;
    int64_t result;
    bool is_refused; /* by the gate, when it has saved all registers */
} CASES[] = {
    { { "read", SYS_read, { 0, 0, 1 } }, 1, false },
    { { "refused read", SYS_read, { 0, 0, 1 } }, 1, true },
    { { "lseek", SYS_lseek, { 0, 7, SEEK_SET } }, 7, false },
    { { "refused lseek", SYS_lseek, { 0, 7, SEEK_SET } }, 7, true },
    { { "read to nowhere", SYS_read, { 0, 8, 1 } }, -EFAULT, false },
    { { "open", SYS_open, { (uintptr_t)DEVICE, O_CLOEXEC } }, NEW_FD, false },
    { { "open of a link", SYS_open, { (uintptr_t)LINK, O_CLOEXEC } }, NEW_FD, false },
    { { "open of nothing", SYS_open, { (uintptr_t)NOWHERE, O_CLOEXEC } }, -ENOENT, false },
    { { "refused open", SYS_open, { (uintptr_t)DEVICE, O_CLOEXEC } }, NEW_FD, true },
    { { "getuid, which is not gated", SYS_getuid, { 1, 1, 0 } }, 0, false },
    { { "number -1", (uint64_t)-1, { 1, 1, 0 } }, -ENOSYS, false },
};

/* Make a call with a signal at the instruction with a number; returns whether there is one. */
static bool step(const struct site *site, const struct step_case *asked, uint64_t number)
{
    static const uint64_t FLAG_SETS[] = { 0, DIRECTION | OVERFLOW, CARRY | ZERO | SIGN };
    static volatile uint32_t reached;
    const char *start = site->back - 2 - (site->subtract ? MOVED_BYTES : 0);

    fill_stack();
    prepare(&asked->call, site, FLAG_SETS[number % 3], (uint64_t)stack + 2048);
    reached = 0;
    handled = 0;
    current = site;
    syscall(STEP, start, number, &reached, site->back, (long)asked->is_refused);
    site->call();
    current = NULL;
    if (handled != (int)reached)
        complain("signals", site->name, handled);
    if ((int64_t)after[RAX] != asked->result || !is_right(site) || !stack_is_intact())
        complain("the result", site->name, (long long)after[RAX]);
    if (asked->call.number == SYS_open)
        close((int)after[RAX]);
    return reached;
}

static void step_through(const struct site *site, struct step_case asked)
{
    static char content[1];
    int file = open("/proc/self/exe", O_RDONLY);
    uint64_t number = 0;
    bool there;

    if (!asked.call.args[0])
        asked.call.args[0] = (uint64_t)file;
    if (!asked.call.args[1])
        asked.call.args[1] = (uint64_t)content;
    if (asked.call.number == SYS_getuid)
        asked.result = getuid();
    if (asked.result == NEW_FD) {
        asked.result = dup(zero);
        close((int)asked.result);
    }
    do {
        there = step(site, &asked, number++);
        if (asked.result == 1 && lseek(file, 0, SEEK_CUR) != (off_t)number)
            complain("read twice or never", site->name, (long long)number);
    } while (there);
    close(file);
    if (number > 1) /* not natively */
        fprintf(stderr, "%s %s: %d instructions\n", site->name, asked.call.name, (int)number - 1);
}

static void step_through_all(void)
{
    static char alternate[1 << 16];
    stack_t other = { .ss_sp = alternate, .ss_size = sizeof alternate };

    sigaltstack(&other, NULL);
    handle(SIGUSR1, SA_ONSTACK);
    for (size_t i = 0; i < sizeof SITES / sizeof *SITES; i++)
        for (size_t j = 0; j < sizeof CASES / sizeof *CASES; j++) {
            step_through(&SITES[i], CASES[j]); /* patches the site */
            step_through(&SITES[i], CASES[j]);
        }
    printf("steps %s\n", wrong ? "WRONG" : "right");
}

/* -- in blocked calls ------------------------------------------------------------------------- */

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

/* In a child: wait until its parent sleeps in the call that it makes. A signal wakes it at once: kill(2). */
static void await_parent(void)
{
    char path[32], state = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
    do {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
            abort();
        fclose(file);
        pause_ms(1);
    } while (state != 'S');
}

/* In a child: three signals for its parent, each while it waits. */
static void send_signals(void)
{
    for (int i = 0; i < 3; i++) {
        await_parent();
        kill(getppid(), SIGUSR1);
    }
    await_parent();
}

/* Open a fifo for reading, which waits for a writer: a child sends signals meanwhile, then opens it. */
static void open_interrupted(int flags, const char *name)
{
    char fifo[] = "/tmp/scopetrace-fifo-XXXXXX";
    int interruptions = 0, fd;

    handle(SIGUSR1, flags);
    handled = 0;
    if (!mkdtemp(fifo) || rmdir(fifo) || mkfifo(fifo, 0600))
        abort();
    pid_t child = fork();
    if (!child) {
        send_signals();
        _exit(open(fifo, O_WRONLY) < 0);
    }
    while ((fd = open(fifo, O_RDONLY)) < 0 && errno == EINTR)
        interruptions++;
    waitpid(child, NULL, 0);
    printf("%s: an open, %d after %d signals, %d times EINTR\n", name, fd < 0, (int)handled,
           interruptions);
    close(fd);
    unlink(fifo);
}

/* Read from an empty pipe: a child sends signals meanwhile, then the byte. */
static void read_interrupted(int flags, const char *name)
{
    int pipes[2];
    char byte = 0;

    handle(SIGUSR1, flags);
    handled = 0;
    if (pipe(pipes))
        abort();
    read(zero, &byte, 1);
    pid_t child = fork();
    if (!child) {
        send_signals();
        _exit(write(pipes[1], "x", 1) != 1);
    }
    ssize_t got;
    int interruptions = 0;
    while ((got = read(pipes[0], &byte, 1)) < 0 && errno == EINTR)
        interruptions++;
    waitpid(child, NULL, 0);
    printf("%s: %zd %c after %d signals, %d times EINTR\n", name, got, byte, (int)handled,
           interruptions);
    close(pipes[0]);
    close(pipes[1]);
}

static sigjmp_buf jump;

static void leave(int number)
{
    (void)number;
    siglongjmp(jump, 1);
}

/* A handler that never returns: the thread makes more calls afterwards. */
static void leave_blocked_read(void)
{
    struct itimerval soon = { .it_value = { .tv_usec = 20000 } };
    static volatile int left;
    int pipes[2];
    char byte;

    signal(SIGALRM, leave);
    if (pipe(pipes))
        abort();
    for (int i = 0; i < 5; i++)
        if (!sigsetjmp(jump, 1)) {
            setitimer(ITIMER_REAL, &soon, NULL);
            read(pipes[0], &byte, 1);
            complain("a return", "a read that a jump leaves", i);
        } else {
            left++;
            make_calls();
        }
    printf("left %d times\n", left);
    close(pipes[0]);
    close(pipes[1]);
}

/* -- cancelled threads ------------------------------------------------------------------------ */

enum { CANCELLED = 30 };

/* Fast reads, then one that blocks: by its number a thread is cancelled in one or the other. */
static void *read_until_cancelled(void *fd)
{
    char byte;

    for (int i = 0; i < 3000; i++)
        if (read(zero, &byte, 1) != 1)
            complain("a read", "a thread before its cancel", errno);
    read(*(int *)fd, &byte, 1);
    return NULL;
}

static void cancel_threads(void)
{
    int pipes[2], cancelled = 0;
    pthread_t thread;
    void *result;

    if (pipe(pipes))
        abort();
    for (int i = 0; i < CANCELLED; i++) {
        if (pthread_create(&thread, NULL, read_until_cancelled, &pipes[0]))
            abort();
        pause_ms(i % 3 * 5);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        cancelled += result == PTHREAD_CANCELED;
    }
    printf("cancelled %d threads\n", cancelled);
    close(pipes[0]);
    close(pipes[1]);
}

/* -- a storm ---------------------------------------------------------------------------------- */

enum { THREADS = 3, READS = 15000 };

static atomic_int ended;
static int passes;

/* Each read moves on by one byte, whatever interrupts it. */
static void read_pass(int file)
{
    char byte, magic[5] = { 0 };

    lseek(file, 0, SEEK_SET);
    for (int i = 0; i < READS; i++) {
        if (read(file, &byte, 1) != 1)
            complain("a read", "the storm", errno);
        if (i < 4)
            magic[i] = byte;
    }
    off_t place = lseek(file, 0, SEEK_CUR);
    if (place != READS || memcmp(magic, "\177ELF", 4))
        complain("the place in the file", "the storm", (long long)place);
}

static void *read_on(void *unused)
{
    int file = open("/proc/self/exe", O_RDONLY);

    for (int i = 0; i < passes; i++)
        read_pass(file);
    close(file);
    ended++;
    return unused;
}

static void storm(void)
{
    static const struct itimerval often = { { 0, 300 }, { 0, 300 } }, never;
    pthread_t threads[THREADS];

    handle(SIGALRM, SA_RESTART);
    handle(SIGPROF, SA_RESTART);
    handled = 0;
    setitimer(ITIMER_REAL, &often, NULL);
    setitimer(ITIMER_PROF, &often, NULL);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, read_on, NULL))
            abort();
    while (ended < THREADS)
        pause_ms(1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    setitimer(ITIMER_REAL, &never, NULL);
    setitimer(ITIMER_PROF, &never, NULL);
    printf("storm %s\n", wrong || !handled ? "WRONG" : "right");
}

int main(int argc, char **argv)
{
    passes = argc == 2 ? atoi(argv[1]) : 1;
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    zero = open("/dev/zero", O_RDONLY);
    step_through_all();
    read_interrupted(0, "without SA_RESTART");
    read_interrupted(SA_RESTART, "with SA_RESTART");
    open_interrupted(0, "without SA_RESTART");
    open_interrupted(SA_RESTART, "with SA_RESTART");
    leave_blocked_read();
    cancel_threads();
    storm();
    fflush(stdout);
    return wrong ? 1 : 3;
}
