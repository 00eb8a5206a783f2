/* Signals of all kinds: each must arrive once, in order, with the siginfo of its sender. */
#include "expect.h"
#include <pthread.h>
#include <sys/signalfd.h>
#include <ucontext.h>

#define STORM 300

static volatile sig_atomic_t counts[NSIG], order[4 * STORM], values[4 * STORM], seen;
static volatile sig_atomic_t wrong;
static volatile siginfo_t last;

static void handle(int number, siginfo_t *info, void *context)
{
    (void)context;
    counts[number]++;
    last = *info;
    if (number >= SIGRTMIN && seen < 4 * STORM) {
        order[seen] = number;
        values[seen++] = info->si_value.sival_int;
    }
    if (info->si_code == SI_QUEUE && (info->si_pid != getpid() || info->si_uid != getuid()))
        wrong++;
}

static void catch (int number)
{
    struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO };
    MUST(sigaction(number, &action, NULL) == 0);
}

/* Queued while blocked: real-time signals keep count and order, the lowest number first. */
static void storm(void)
{
    sigset_t some, old;
    sigemptyset(&some);
    for (int i = 0; i < 3; i++)
        sigaddset(&some, SIGRTMIN + i);
    MUST(sigprocmask(SIG_BLOCK, &some, &old) == 0);
    for (int i = 0; i < STORM; i++)
        MUST(sigqueue(getpid(), SIGRTMIN + i % 3, (union sigval){ .sival_int = i }) == 0);
    MUST(sigprocmask(SIG_SETMASK, &old, NULL) == 0);

    long in_order = 0;
    for (int i = 1; i < seen; i++)
        if (order[i] == order[i - 1])
            in_order += values[i] == values[i - 1] + 3;
    print_line("queued: %d arrived, %ld after their neighbour, %d wrong", seen, in_order, wrong);
}

static void unqueued_storm(void)
{
    for (int i = 0; i < STORM; i++)
        MUST(raise(SIGUSR1) == 0 && kill(getpid(), SIGUSR2) == 0);
    print_line("raised: %d and %d", counts[SIGUSR1], counts[SIGUSR2]);
}

/* The signal ptrace itself uses must be the program's too. */
static void traps(void)
{
    MUST(raise(SIGTRAP) == 0 && kill(getpid(), SIGTRAP) == 0);
    print_line("SIGTRAP: %d, code %d", counts[SIGTRAP], last.si_code);
#if defined(__x86_64__) || defined(__i386__)
    __asm__ volatile("int3");
    print_line("int3: %d, code %d", counts[SIGTRAP], last.si_code);
#endif
}

static void children(void)
{
    sigset_t chld, old;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    for (int i = 0; i < 5; i++) {
        MUST(sigprocmask(SIG_BLOCK, &chld, &old) == 0);
        pid_t child = fork();
        if (child == 0)
            _exit(i);
        while (counts[SIGCHLD] == i)
            sigsuspend(&old);
        print_line("SIGCHLD: code %d, status %d, child %s", last.si_code, last.si_status,
                   last.si_pid == child ? "right" : "wrong");
        MUST(waitpid(child, NULL, 0) == child && sigprocmask(SIG_SETMASK, &old, NULL) == 0);
    }
}

static void faults(void)
{
    static volatile int *nowhere = (int *)16;
    pid_t child = fork();
    int status;
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *nowhere = 1;
    }
    MUST(waitpid(child, &status, 0) == child);
    print_line("fault: signal %d", WTERMSIG(status));
}

/* Signals that are taken from a queue without a handler. */
static void taken(void)
{
    sigset_t some;
    siginfo_t info;
    struct signalfd_siginfo read_info;
    sigemptyset(&some);
    sigaddset(&some, SIGRTMIN + 5);
    MUST(sigprocmask(SIG_BLOCK, &some, NULL) == 0);
    int fd = signalfd(-1, &some, SFD_CLOEXEC);
    for (int i = 0; i < 2; i++)
        MUST(sigqueue(getpid(), SIGRTMIN + 5, (union sigval){ .sival_int = 40 + i }) == 0);
    MUST(sigwaitinfo(&some, &info) == SIGRTMIN + 5);
    MUST(read(fd, &read_info, sizeof read_info) == sizeof read_info);
    print_line("taken: %d code %d, %d code %d", info.si_value.sival_int, info.si_code,
               read_info.ssi_int, read_info.ssi_code);
}

static void *wait_there(void *count)
{
    while (*(volatile sig_atomic_t *)count == 0)
        usleep(1000);
    return NULL;
}

/* A signal for one thread. */
static void directed(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, wait_there, (void *)&counts[SIGHUP]) == 0);
    MUST(pthread_kill(thread, SIGHUP) == 0 && pthread_join(thread, NULL) == 0);
    print_line("directed: %d, code %d", counts[SIGHUP], last.si_code);
}

int main(void)
{
    for (int i = 0; i < 6; i++)
        catch (SIGRTMIN + i);
    catch (SIGUSR1), catch (SIGUSR2), catch (SIGTRAP), catch (SIGCHLD), catch (SIGHUP);
    storm();
    unqueued_storm();
    traps();
    directed();
    taken();
    children();
    faults();
    expect("'source': 'proc.exit', 'signal': 'SIGSEGV'");
    expect("'source': 'proc.exit', 'exit_code': 0, 'pid': %d", getpid());
    return 0;
}
