/* A child is stopped and continued; its parent must be notified of each, as without a tracer. */
#include "expect.h"
#include <poll.h>
#include <pthread.h>

static void *spin(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void look(const char *what, pid_t child, int options)
{
    int status = 0;
    MUST(waitpid(child, &status, options) == child);
    print_line("%s: stopped %d by %d, continued %d, exited %d with %d", what, WIFSTOPPED(status),
               WIFSTOPPED(status) ? WSTOPSIG(status) : 0, WIFCONTINUED(status) != 0,
               WIFEXITED(status), WEXITSTATUS(status));
}

/* Say so when we go on, and do more only when the parent has seen it. */
static void stop_by(int number, const int *gates)
{
    char byte = 0;
    raise(number);
    MUST(write(gates[1], &byte, 1) == 1 && read(gates[0], &byte, 1) == 1);
}

/* A process that is stopped does nothing until it is continued. */
static void look_idle(int gate)
{
    struct pollfd news = { .fd = gate, .events = POLLIN };

    print_line("idle: %d", poll(&news, 1, 20) == 0);
}

static void child(int threads, const int *gate)
{
    pthread_t thread;
    for (int i = 0; i < threads; i++)
        MUST(pthread_create(&thread, NULL, spin, NULL) == 0);
    stop_by(SIGSTOP, gate);
    stop_by(SIGTSTP, gate);
    stop_by(SIGTTIN, gate);
    stop_by(SIGTTOU, gate);
    _exit(4);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 0, there[2], back[2];
    char byte;
    const char *names[] = { "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU" };

    MUST(pipe(there) == 0 && pipe(back) == 0);
    pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        setpgid(0, 0); /* an orphaned group would not be stopped by SIGTSTP; this one is not */
        child(threads, (int[]){ there[0], back[1] });
    }
    for (int i = 0; i < 4; i++) {
        look(names[i], pid, WUNTRACED);
        look_idle(back[0]);
        MUST(kill(pid, SIGCONT) == 0);
        look("SIGCONT", pid, WCONTINUED);
        MUST(read(back[0], &byte, 1) == 1 && write(there[1], &byte, 1) == 1);
    }
    look("end", pid, 0);

    /* Killed while it is stopped. */
    pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    look("SIGSTOP", pid, WUNTRACED);
    int status;
    MUST(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    print_line("killed by %d", WTERMSIG(status));
    expect("'source': 'proc.exit', 'pid': %d, 'signal': 'SIGKILL'", pid);
    return 0;
}
