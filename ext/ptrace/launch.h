/* The process that becomes the program, before its exec. */
#ifndef SCOPE_PTRACE_LAUNCH_H
#define SCOPE_PTRACE_LAUNCH_H

#include <linux/filter.h>
#include <stdbool.h>
#include <sys/types.h>

struct launch {
    const char *path;
    char *const *argv;
    char *const *envp;
    const struct sock_filter *filter;
    unsigned short length; /* of the filter; 0: there is none, and no tracer */
};

enum {
    LAUNCH_UNTRACED = 1,   /* the tracer has ended */
    LAUNCH_UNFILTERED = 2, /* the kernel did not take the filter */
};

/*
 * Become `path`, with the filter loaded and all else as it is. With a filter, the calling thread is
 * being traced already; no watched call is made between the filter and the exec.
 *
 * `no_new_privs` is set only if the kernel demands it (no CAP_SYS_ADMIN: seccomp(2)). A file that is
 * no program in any format is given to /bin/sh, as execvp(3) does. Returns only on failure: a negative
 * errno of execve, or one of the above.
 */
int launch(const struct launch *what);

/*
 * The same by a thread of its own, created beforehand, which the tracer traces instead of the
 * caller's. A thread that execs replaces its process: pid, parent, times and all that programs
 * inherit are the process's (de_thread in fs/exec.c). A filter belongs to its thread, so if the
 * tracer has ended before the exec, the caller's thread has none, and can become the program
 * without being recorded.
 *
 * Where a new thread would lose what the program is to inherit, or cannot be created, the caller's
 * thread is used. launcher_create returns 0 or -ENOMEM; launcher_exec as launch. There is no way
 * back: a launcher is never freed, its thread ends with the process or with its exec.
 */
struct launcher;
int launcher_create(struct launcher **launcher_out);
pid_t launcher_tid(const struct launcher *launcher);
int launcher_exec(struct launcher *launcher, const struct launch *what);

/* Let `pid`, which is no ancestor, trace this process (Yama's ptrace_scope 1). */
void allow_tracer(int pid);

/*
 * Let no unprivileged process read or trace this one, not even the user's own (PR_SET_DUMPABLE):
 * its files in /proc are root's from here on. It can still read its own.
 */
void refuse_inspection(void);

/* Replace the command line that /proc and ps show for this process. */
void retitle(const char *title);

#endif
