/*
 * Programs that are stopped, continued and killed at any moment: disturbed SEED ROUNDS. Each of a round is
 * started in another way and has three threads, which open a file of their own again and again. How often
 * they did so is in the file "counts", a number for each round and thread: counted after the call, so
 * that one more may have been made.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3, WAYS = 6, STOPS_MAX = 6, REST_US = 1500, STACK = 1 << 16 };

extern char **environ;
static volatile uint64_t *counts;
static const char *self;
static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void must(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s: %s\n", what, strerror(errno));
        _exit(99);
    }
}

static void map_counts(size_t rounds)
{
    int file = open("counts", O_RDWR | O_CREAT, 0600);

    must(file >= 0, "counts");
    must(rounds == 0 || ftruncate(file, (off_t)(rounds * THREADS * sizeof *counts)) == 0, "size");
    off_t size = lseek(file, 0, SEEK_END);
    counts = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(counts != MAP_FAILED, "mmap");
    close(file);
}

/* -- a program that is disturbed ---------------------------------------------------------------- */

static __thread sigjmp_buf again;
static __thread volatile int may_jump;

static void on_alarm(int number)
{
    (void)number;
    if (may_jump)
        siglongjmp(again, 1);
}

struct work {
    uint64_t round, thread;
};

static void *work(void *given)
{
    const struct work *mine = given;
    volatile uint64_t *count = &counts[mine->round * THREADS + mine->thread];
    char name[32], byte;
    sigset_t alarm;

    snprintf(name, sizeof name, "w-%d-%d", (int)mine->round, (int)mine->thread);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    for (;;) {
        pthread_sigmask(SIG_BLOCK, &alarm, NULL); /* an open is counted, or was not made */
        int file = open(name, O_RDWR | O_CREAT, 0600);
        must(file >= 0, name);
        ++*count;
        if (sigsetjmp(again, 1) == 0) {
            may_jump = 1;
            pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
            for (int i = 0; i < 3; i++)
                must(read(file, &byte, 1) == 0, "read");
        }
        may_jump = 0;
        close(file);
    }
    return NULL;
}

static _Noreturn void be_disturbed(uint64_t round)
{
    static const struct itimerval often = { { 0, 700 }, { 0, 700 } };
    static char alternate[STACK];
    static struct work all[THREADS];
    stack_t other = { .ss_sp = alternate, .ss_size = sizeof alternate };
    struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_ONSTACK };
    pthread_t thread;

    sigaltstack(&other, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (uint64_t i = 0; i < THREADS; i++)
        all[i] = (struct work){ round, i };
    for (int i = 1; i < THREADS; i++)
        must(pthread_create(&thread, NULL, work, &all[i]) == 0, "pthread_create");
    work(&all[0]);
    _exit(98);
}

/* -- how it is started -------------------------------------------------------------------------- */

static char *arguments[] = { NULL, NULL, NULL };

static _Noreturn void become(void)
{
    execv(self, arguments);
    _exit(97);
}

static void *become_in_thread(void *unused)
{
    (void)unused;
    become();
}

static int become_in_clone(void *unused)
{
    (void)unused;
    become();
}

static pid_t start(uint64_t round, char *number)
{
    static char stack[STACK] __attribute__((aligned(16)));
    pid_t child = -1;
    pthread_t thread;

    arguments[0] = (char *)(uintptr_t)self;
    arguments[1] = number;
    switch (round % WAYS) {
    case 0:
        return posix_spawn(&child, self, NULL, NULL, arguments, environ) ? -1 : child;
    case 1:
        child = vfork();
        if (child == 0)
            become();
        return child;
    case 2:
        return clone(become_in_clone, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
    case 3:
        child = fork();
        if (child == 0)
            be_disturbed(round);
        return child;
    case 4:
        child = fork();
        if (child == 0) {
            pthread_create(&thread, NULL, become_in_thread, NULL);
            for (;;)
                open("/", O_RDONLY | O_CLOEXEC);
        }
        return child;
    default:
        child = fork();
        if (child == 0)
            become();
        return child;
    }
}

static void rest(void)
{
    usleep((useconds_t)(draw() % REST_US));
}

static void disturb(pid_t child)
{
    int status;

    usleep(4 * REST_US);
    for (uint64_t i = draw() % STOPS_MAX; i; i--) {
        rest();
        must(kill(child, SIGSTOP) == 0, "SIGSTOP");
        if (draw() % 2)
            rest();
        must(kill(child, SIGCONT) == 0, "SIGCONT");
    }
    rest();
    must(kill(child, SIGKILL) == 0, "SIGKILL");
    must(waitpid(child, &status, 0) == child && WIFSIGNALED(status), "waitpid");
}

int main(int argc, char **argv)
{
    char number[32];

    self = argv[0];
    map_counts(argc == 3 ? strtoull(argv[2], NULL, 10) : 0);
    if (argc == 2)
        be_disturbed(strtoull(argv[1], NULL, 10));
    state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
    for (uint64_t round = 0; round < strtoull(argv[2], NULL, 10); round++) {
        snprintf(number, sizeof number, "%d", (int)round);
        pid_t child = start(round, number);
        must(child > 0, "start");
        disturb(child);
    }
    return 3;
}
