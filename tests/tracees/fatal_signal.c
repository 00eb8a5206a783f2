/*
 * A thread sends its process a signal that ends it, which another thread takes, and then writes: the
 * process ends before the write. Untraced it always does; a tracer cannot see every signal in time.
 */
#include "expect.h"
#include <pthread.h>
#include <stdbool.h>

enum { ROUNDS = 200, FEW = ROUNDS / 20 };

static int into; /* a pipe */
static pid_t taker;

static void *take(void *unused)
{
    sigset_t none;
    sigemptyset(&none);
    MUST(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    __atomic_store_n(&taker, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
    for (;;)
        pause();
    return unused;
}

static void *send(void *unused)
{
    while (!__atomic_load_n(&taker, __ATOMIC_SEQ_CST))
        sched_yield();
    await_sleep(taker);
    kill(getpid(), SIGTERM);
    MUST(write(into, "x", 1) == 1);
    for (;;)
        pause();
    return unused;
}

static void __attribute__((noreturn)) run(bool main_takes)
{
    sigset_t all;
    pthread_t other;
    sigfillset(&all);
    MUST(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    MUST(pthread_create(&other, NULL, main_takes ? send : take, NULL) == 0);
    main_takes ? take(NULL) : send(NULL);
    _exit(99);
}

static void rounds(bool main_takes)
{
    int writes = 0, ended = 0, status;
    for (int i = 0; i < ROUNDS; i++) {
        int ends[2];
        char byte;
        MUST(pipe(ends) == 0);
        pid_t child = fork();
        into = ends[1];
        if (child == 0)
            run(main_takes);
        MUST(close(ends[1]) == 0 && waitpid(child, &status, 0) == child);
        writes += read(ends[0], &byte, 1) == 1;
        ended += WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
        MUST(close(ends[0]) == 0);
    }
    print_line("%d ended, %s writes", ended, writes <= FEW ? "few" : "many");
}

int main(void)
{
    rounds(true);
    rounds(false);
    expect("'source': 'proc.exit', 'signal': 'SIGTERM'");
    return 0;
}
