/*
 * A thread sends its process a signal that ends it, which another thread takes, and then writes: the
 * process ends before the write. Untraced it always does; a tracer cannot see every signal in time.
 * The same where it sends the signal to that thread alone, which is busy.
 */
#include "expect.h"
#include <pthread.h>
#include <stdbool.h>

enum { ROUNDS = 200, FEW = ROUNDS / 20 };
enum taker { MAIN_SLEEPS, OTHER_SLEEPS, MAIN_IS_BUSY, OTHER_IS_BUSY };

static int into;  /* a pipe */
static bool busy; /* the thread that takes the signal */
static pid_t taker;

static void *take(void *unused)
{
    sigset_t none;
    sigemptyset(&none);
    MUST(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    __atomic_store_n(&taker, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    for (;;)
        if (!busy)
            pause();
    return unused;
}

static void *send(void *unused)
{
    while (!__atomic_load_n(&taker, __ATOMIC_SEQ_CST))
        sched_yield();
    if (busy) {
        syscall(SYS_tgkill, getpid(), taker, SIGTERM);
    } else {
        await_sleep(taker);
        kill(getpid(), SIGTERM);
    }
    MUST(write(into, "x", 1) == 1);
    for (;;)
        pause();
    return unused;
}

static void __attribute__((noreturn)) run(enum taker who)
{
    bool main_takes = who == MAIN_SLEEPS || who == MAIN_IS_BUSY;
    sigset_t all;
    pthread_t other;
    busy = who == MAIN_IS_BUSY || who == OTHER_IS_BUSY;
    sigfillset(&all);
    MUST(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    MUST(pthread_create(&other, NULL, main_takes ? send : take, NULL) == 0);
    main_takes ? take(NULL) : send(NULL);
    _exit(99);
}

static void rounds(enum taker who)
{
    int writes = 0, ended = 0, status;
    for (int i = 0; i < ROUNDS; i++) {
        int ends[2];
        char byte;
        MUST(pipe(ends) == 0);
        pid_t child = fork();
        into = ends[1];
        if (child == 0)
            run(who);
        MUST(close(ends[1]) == 0 && waitpid(child, &status, 0) == child);
        writes += read(ends[0], &byte, 1) == 1;
        ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
        MUST(close(ends[0]) == 0);
    }
    print_line("%d ended, %s writes", ended, writes <= FEW ? "few" : "many");
}

int main(void)
{
    for (enum taker who = MAIN_SLEEPS; who <= OTHER_IS_BUSY; who++)
        rounds(who);
    expect("'source': 'proc.exit', 'signal': 'SIGTERM'");
    return 0;
}
