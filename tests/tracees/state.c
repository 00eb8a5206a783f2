/* Prints the attributes that a program inherits: they must be the same as without recording. */
#include "expect.h"
#include <dirent.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>

extern char **environ;

static void signals(void)
{
    sigset_t mask;
    struct sigaction action;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int i = 1; i < NSIG; i++) {
        if (sigismember(&mask, i) == 1)
            print_line("blocked %d", i);
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            print_line("%s %d", action.sa_handler == SIG_IGN ? "ignored" : "handled", i);
    }
    sigpending(&mask);
    for (int i = 1; i < NSIG; i++)
        if (sigismember(&mask, i) == 1)
            print_line("pending %d", i);
}

static void limits(void)
{
    struct rlimit limit;
    for (int i = 0; i < RLIMIT_NLIMITS; i++)
        if (getrlimit(i, &limit) == 0)
            print_line("limit %d: %lu %lu", i, (long)limit.rlim_cur, (long)limit.rlim_max);
}

/* The fds, without what is different at every run: numbers of pipes and sockets. */
static void fds(void)
{
    char path[64], link[PATH_MAX];
    for (int fd = 0; fd < 4096; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, link, sizeof link - 1);
        if (size < 0)
            continue;
        link[size] = 0;
        if (strchr(link, '['))
            *strchr(link, '[') = 0;
        print_line("fd %d: %s, flags %o, closes at exec %d", fd, link, fcntl(fd, F_GETFL),
                   fcntl(fd, F_GETFD));
    }
}

static long threads(void)
{
    struct stat tasks;
    MUST(stat("/proc/self/task", &tasks) == 0);
    return (long)tasks.st_nlink - 2;
}

static void others(void)
{
    mode_t mask = umask(0);
    umask(mask);
    print_line("umask %o, cwd %s", mask, start);
    print_line("dumpable %d, name %s", prctl(PR_GET_DUMPABLE), program_invocation_short_name);
    print_line("uid %d %d, gid %d %d", getuid(), geteuid(), getgid(), getegid());
    print_line("session of the parent %d, group of the parent %d, group leader %d",
               getsid(0) == getsid(getppid()), getpgid(0) == getpgid(getppid()),
               getpgid(0) == getpid());
    print_line("children %d", waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* What stands for each thread, and what the whole process is known by. */
static void standing(void)
{
    cpu_set_t cpus;
    struct sched_param param;
    int death_signal = 0;
    char score[16] = "";
    sched_getaffinity(0, sizeof cpus, &cpus);
    sched_getparam(0, &param);
    prctl(PR_GET_PDEATHSIG, &death_signal);
    int fd = open("/proc/self/oom_score_adj", O_RDONLY);
    MUST(read(fd, score, sizeof score - 1) > 0);
    close(fd);
    print_line("nice %d, policy %d, priority %d, first of %d cpus is 0: %d",
               getpriority(PRIO_PROCESS, 0), sched_getscheduler(0), param.sched_priority,
               CPU_COUNT(&cpus), CPU_ISSET(0, &cpus));
    print_line("I/O priority %ld, death signal %d, timer slack %d, personality %x, OOM score %s",
               syscall(SYS_ioprio_get, 1, 0), death_signal, prctl(PR_GET_TIMERSLACK),
               personality(0xffffffff), score);
    print_line("threads %ld, one of them is the process: %d", threads(), getpid() == gettid());
}

int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        print_line("argument %s", argv[i]);
    for (char **variable = environ; *variable; variable++)
        print_line("environment %s", *variable);
    print_line("started by %s",
               getenv("STARTER") && getppid() == atoi(getenv("STARTER")) ? "the test" : "another");
    signals();
    limits();
    fds();
    others();
    standing();
    return 0;
}
