/*
 * A signal handler leaves a blocking call by siglongjmp: the call never returns, and is recorded as
 * failed with EINTR, before the next call of the program. With an argument, the handler runs on an
 * alternate stack right above the thread's own.
 */
#include "expect.h"
#include <pthread.h>
#include <setjmp.h>

#define HALF (256 * 1024)

static sigjmp_buf out;

static void leave(int number)
{
    (void)number;
    MUST(getppid() > 0);
    siglongjmp(out, 1);
}

/* End when a thread of the parent sleeps in its call. */
static void interrupt(pid_t parent, pid_t tid)
{
    await_sleep(tid);
    syscall(SYS_tgkill, parent, tid, SIGUSR1);
    _exit(0);
}

static void *leave_handlers(void *upper)
{
    MUST(!upper || sigaltstack(upper, NULL) == 0);
    for (int i = 0; i < 6; i++) {
        pid_t parent = getpid(), tid = syscall(SYS_gettid);
        if (sigsetjmp(out, 1) == 0) {
            pid_t child = fork();
            if (child == 0)
                interrupt(parent, tid);
            open("fifo", O_RDONLY); /* waits for a writer, which never comes: fifo(7) */
            _exit(1);
        }
        errno = EINTR;
        expect_error("open_close", "openat", "fifo");
        MUST(close(expect_open("openat", "next", open("next", O_CREAT | O_WRONLY, 0644))) == 0);
        expect_close("close", "next", 0, 0, 0, 0);
        MUST(wait(NULL) > 0);
    }
    return NULL;
}

static void leave_from_above(void)
{
    char *stacks = mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t upper = { .ss_sp = stacks + HALF, .ss_size = HALF };
    pthread_attr_t lower;
    pthread_t thread;

    MUST(pthread_attr_init(&lower) == 0 && pthread_attr_setstack(&lower, stacks, HALF) == 0);
    MUST(pthread_create(&thread, &lower, leave_handlers, &upper) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

int main(int count, char **arguments)
{
    struct sigaction action = { .sa_handler = leave, .sa_flags = SA_ONSTACK };
    (void)arguments;

    MUST(mkfifo("fifo", 0600) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
    count > 1 ? leave_from_above() : (void)leave_handlers(NULL);
    return 0;
}
