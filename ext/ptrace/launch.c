#include "ptrace/launch.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Without SPEC_ALLOW old kernels slow the whole program down by a speculation barrier. */
static int load(const struct sock_fprog *program)
{
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, program) == 0)
        return 0;
    return -errno;
}

static int load_filter(const struct sock_filter *filter, unsigned short length)
{
    struct sock_fprog program = { .len = length, .filter = (struct sock_filter *)filter };
    int status = load(&program);

    if (status != -EACCES)
        return status;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return load(&program);
}

/*
 * The call is made without its path, which is passed in an argument that execve does not have: the
 * tracer puts it in place once the program will end with the tracer (complete_first_exec in
 * exec.c). If the tracer has ended before (ENOSYS), or ends while it handles this call (no path:
 * EFAULT), no program is started whose calls would all fail.
 */
static int exec_watched(const char *path, char *const argv[], char *const envp[])
{
    syscall(SYS_execve, NULL, argv, envp, path);
    return errno == ENOSYS || errno == EFAULT ? LAUNCH_UNTRACED : -errno;
}

static int exec_file(const struct launch *what, const char *path, char *const argv[])
{
    if (what->length)
        return exec_watched(path, argv, what->envp);
    execve(path, argv, what->envp);
    return -errno;
}

static int run_as_script(const struct launch *what)
{
    size_t count = 0;

    while (what->argv[count])
        count++;
    char **shell = calloc(count + 3, sizeof *shell);
    if (!shell)
        return -ENOMEM;
    shell[0] = "/bin/sh";
    shell[1] = (char *)what->path;
    if (count)
        memcpy(shell + 2, what->argv + 1, (count - 1) * sizeof *shell);
    int status = exec_file(what, shell[0], shell);
    free(shell);
    return status;
}

int launch(const struct launch *what)
{
    /* Python ignores these two signals; the program is to have their default action. */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);

    int status = 0;
    if (what->length && load_filter(what->filter, what->length) < 0)
        status = LAUNCH_UNFILTERED;
    if (status == 0)
        status = exec_file(what, what->path, what->argv);
    if (status == -ENOEXEC)
        status = run_as_script(what);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return status;
}

/* -- the thread that execs for its process ---------------------------------------------------- */

enum { STACK_BYTES = 256 * 1024 };

struct launcher {
    pthread_t thread;
    pid_t tid;
    bool own_thread; /* false: the caller's thread has to do it */
    sem_t ready, go;
    const struct launch *what;
    sigset_t mask; /* as the caller's thread has it, and the program is to have it */
    int death_signal;
    int status;
};

static void *run_launcher(void *argument)
{
    struct launcher *launcher = argument;

    launcher->tid = (pid_t)syscall(SYS_gettid);
    sem_post(&launcher->ready);
    while (sem_wait(&launcher->go) < 0)
        ;
    if (launcher->death_signal)
        prctl(PR_SET_PDEATHSIG, launcher->death_signal, 0, 0, 0);
    pthread_sigmask(SIG_SETMASK, &launcher->mask, NULL);
    launcher->status = launch(launcher->what);
    return NULL;
}

/*
 * What a program inherits are attributes of a thread, which a new thread copies from its creator,
 * except pending signals of that thread, and a scheduling policy with reset-on-fork (sched(7)).
 */
static bool can_be_replaced(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 && sigisemptyset(&waiting) &&
           !(sched_getscheduler(0) & SCHED_RESET_ON_FORK);
}

static bool start_thread(struct launcher *launcher)
{
    pthread_attr_t attributes;
    sigset_t all;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &launcher->mask);
    int status = pthread_create(&launcher->thread, &attributes, run_launcher, launcher);
    pthread_sigmask(SIG_SETMASK, &launcher->mask, NULL);
    pthread_attr_destroy(&attributes);
    if (status != 0)
        return false;
    while (sem_wait(&launcher->ready) < 0)
        ;
    return true;
}

int launcher_create(struct launcher **launcher_out)
{
    struct launcher *launcher = calloc(1, sizeof *launcher);

    if (!launcher)
        return -ENOMEM;
    sem_init(&launcher->ready, 0, 0);
    sem_init(&launcher->go, 0, 0);
    prctl(PR_GET_PDEATHSIG, &launcher->death_signal, 0, 0, 0);
    launcher->own_thread = can_be_replaced() && start_thread(launcher);
    if (!launcher->own_thread)
        launcher->tid = (pid_t)syscall(SYS_gettid);
    *launcher_out = launcher;
    return 0;
}

pid_t launcher_tid(const struct launcher *launcher)
{
    return launcher->tid;
}

int launcher_exec(struct launcher *launcher, const struct launch *what)
{
    if (!launcher->own_thread)
        return launch(what);
    launcher->what = what;
    sem_post(&launcher->go);
    pthread_join(launcher->thread, NULL);
    return launcher->status;
}

/* -- other requests to the kernel -------------------------------------------------------------- */

void allow_tracer(int pid)
{
    prctl(PR_SET_PTRACER, pid, 0, 0, 0); /* fails without Yama, where it is not needed */
}

void refuse_inspection(void)
{
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Where exec put the command line: fields 48 and 49 of /proc/self/stat (proc(5)). */
static int find_command_line(unsigned long *start_out, unsigned long *end_out)
{
    char text[2048];
    FILE *file = fopen("/proc/self/stat", "re");

    if (!file)
        return -errno;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = '\0';
    char *at = strrchr(text, ')'); /* ends field 2, which may hold anything */
    for (int field = 2; at && field < 48; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %lu %lu", start_out, end_out) == 2 ? 0 : -EINVAL;
}

void retitle(const char *title)
{
    unsigned long start, end;

    prctl(PR_SET_NAME, title, 0, 0, 0);
    if (find_command_line(&start, &end) < 0 || end <= start)
        return;
    size_t room = end - start - 1, length = strlen(title);
    memset((char *)start, 0, room + 1);
    memcpy((char *)start, title, length < room ? length : room);
}
