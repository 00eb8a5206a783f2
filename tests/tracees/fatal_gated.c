/*
 * Threads that go on to make calls while a signal ends their process: fatal_gated ROUNDS. Untraced they
 * make none after it, but one that was under way. A tracer cannot see every signal in time.
 *
 *  own      a thread sends it to its process, where another thread takes it, and then makes a file
 *  foreign  the parent sends it, and then looks twice at the place in a file that a thread moves
 */
#include "expect.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { WARM_UP = 20, UNDER_WAY = 2 };

static int moved; /* a file whose place threads move */
static pid_t taker;

static void make_calls(void)
{
    for (int i = 0; i < WARM_UP; i++) {
        MUST(lseek(moved, 1, SEEK_CUR) > 0);
        MUST(close(open("/", O_RDONLY)) == 0);
    }
}

static void *send(void *unused)
{
    while (!__atomic_load_n(&taker, __ATOMIC_SEQ_CST))
        sched_yield();
    make_calls();
    await_sleep(taker);
    kill(getpid(), SIGTERM);
    MUST(open("made", O_RDONLY | O_CREAT, 0600) >= 0);
    for (;;)
        pause();
    return unused;
}

static void *move(void *unused)
{
    make_calls();
    for (;;)
        MUST(lseek(moved, 1, SEEK_CUR) > 0);
    return unused;
}

/* The main thread takes the signal. */
static void __attribute__((noreturn)) run(void *other(void *))
{
    sigset_t all, none;
    pthread_t thread;
    sigfillset(&all);
    sigemptyset(&none);
    MUST(pthread_sigmask(SIG_SETMASK, &all, NULL) == 0);
    MUST(pthread_create(&thread, NULL, other, NULL) == 0);
    MUST(pthread_sigmask(SIG_SETMASK, &none, NULL) == 0);
    __atomic_store_n(&taker, getpid(), __ATOMIC_SEQ_CST);
    for (;;)
        pause();
}

static bool has_ended(pid_t child)
{
    int status;
    return waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
           WTERMSIG(status) == SIGTERM;
}

static int send_own(void)
{
    pid_t child = fork();
    if (child == 0)
        run(send);
    MUST(has_ended(child));
    return unlink("made") == 0;
}

static int send_foreign(void)
{
    off_t start = lseek(moved, 0, SEEK_CUR);
    pid_t child = fork();
    if (child == 0)
        run(move);
    while (lseek(moved, 0, SEEK_CUR) < start + 10 * WARM_UP)
        sched_yield();
    MUST(kill(child, SIGTERM) == 0);
    off_t sent = lseek(moved, 0, SEEK_CUR);
    MUST(has_ended(child));
    return lseek(moved, 0, SEEK_CUR) > sent + UNDER_WAY;
}

int main(int argc, char **argv)
{
    int rounds = argc == 2 ? atoi(argv[1]) : 1, own = 0, foreign = 0;
    MUST((moved = open("moved", O_RDWR | O_CREAT, 0600)) >= 0);
    for (int i = 0; i < rounds; i++) {
        own += send_own();
        foreign += send_foreign();
    }
    printf("%d %d\n", own, foreign);
    return 0;
}
