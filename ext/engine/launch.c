#include "engine/launch.h"

#include <errno.h>
#include <linux/seccomp.h>
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

static int run_as_script(const char *path, char *const argv[], char *const envp[])
{
    size_t count = 0;

    while (argv[count])
        count++;
    char **shell = calloc(count + 3, sizeof *shell);
    if (!shell)
        return -ENOMEM;
    shell[0] = "/bin/sh";
    shell[1] = (char *)path;
    if (count)
        memcpy(shell + 2, argv + 1, (count - 1) * sizeof *shell);
    execve(shell[0], shell, envp);
    int status = -errno;
    free(shell);
    return status;
}

int launch(const char *path, char *const argv[], char *const envp[],
           const struct sock_filter *filter, unsigned short length)
{
    /* The interpreter ignores these two; a program expects them as its parent left them. */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);

    int status = length ? load_filter(filter, length) : 0;
    if (status < 0)
        return status;
    execve(path, argv, envp);
    return errno == ENOEXEC ? run_as_script(path, argv, envp) : -errno;
}

void allow_tracer(int pid)
{
    prctl(PR_SET_PTRACER, pid, 0, 0, 0); /* fails where there is no Yama, and need not succeed */
}

int borrow_fd(int pid, int fd)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);

    if (process < 0)
        return -errno;
    int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
    int status = copy < 0 ? -errno : copy;
    close(process);
    return status;
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
