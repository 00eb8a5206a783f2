/*
 * A handler that runs on an alternate stack above the thread's own (sigaltstack(2), as in Go),
 * while the thread waits in open(2): with SA_RESTART the call is restarted and succeeds. It has not
 * failed, though the handler makes calls, as those of event loops do to wake them.
 */
#include "expect.h"
#include <poll.h>
#include <pthread.h>

#define HALF (256 * 1024)

static volatile sig_atomic_t handled;
static char *stacks;
static int opener; /* its stat file, open until the end, so that fds are the same each time */
static int reading, wakeup[2];

static void handle(int number)
{
    (void)number;
    MUST(write(wakeup[1], "", 1) == 1);
    handled++;
}

static void *open_and_wait(void *unused)
{
    stack_t upper = { .ss_sp = stacks + HALF, .ss_size = HALF };

    MUST(sigaltstack(&upper, NULL) == 0);
    int state = open("/proc/thread-self/stat", O_RDONLY);
    MUST(state > 0);
    __atomic_store_n(&opener, state, __ATOMIC_RELEASE);
    reading = open("fifo", O_RDONLY);
    return unused;
}

int main(void)
{
    struct sigaction action = { .sa_handler = handle, .sa_flags = SA_RESTART | SA_ONSTACK };
    pthread_attr_t lower;
    pthread_t thread;

    MUST(pipe(wakeup) == 0);
    MUST(mkfifo("fifo", 0600) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    stacks = mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(pthread_attr_init(&lower) == 0 && pthread_attr_setstack(&lower, stacks, HALF) == 0);
    MUST(pthread_create(&thread, &lower, open_and_wait, NULL) == 0);
    while (!__atomic_load_n(&opener, __ATOMIC_ACQUIRE))
        poll(NULL, 0, 1);
    for (int i = 0; i < 3; i++) {
        await_sleep_in(opener);
        MUST(pthread_kill(thread, SIGUSR1) == 0);
        while (handled == i)
            poll(NULL, 0, 1);
    }
    await_sleep_in(opener);
    int writing = open("fifo", O_WRONLY);
    MUST(pthread_join(thread, NULL) == 0);
    MUST(expect_open("openat", "fifo", reading) >= 0 &&
         expect_open("openat", "fifo", writing) >= 0);
    return 0;
}
