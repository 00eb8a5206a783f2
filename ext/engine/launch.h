/* The other side: the process that becomes the program. */
#ifndef SCOPE_ENGINE_LAUNCH_H
#define SCOPE_ENGINE_LAUNCH_H

#include <linux/filter.h>

/*
 * Become `path`, with the filter loaded (none if `length` is 0) and nothing else changed. The caller's process is being
 * traced already; nothing between the filter and the exec is a watched call.
 *
 * `no_new_privs` is set only if the kernel demands it (no CAP_SYS_ADMIN: seccomp(2)). A file that is
 * no program in any format is given to /bin/sh, as execvp(3) does. Returns only on failure: a
 * negative errno of execve or of loading the filter.
 */
int launch(const char *path, char *const argv[], char *const envp[],
           const struct sock_filter *filter, unsigned short length);

/* Let `pid`, which is no ancestor, trace this process (Yama's ptrace_scope 1). */
void allow_tracer(int pid);

/* A copy of a descriptor of another process that we may trace; a negative errno if it cannot be had. */
int borrow_fd(int pid, int fd);

/* Replace the command line that /proc and ps show for this process. */
void retitle(const char *title);

#endif
