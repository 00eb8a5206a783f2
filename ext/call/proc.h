/* What /proc says about a stopped thread: links, small files, the list of its fds. */
#ifndef SCOPE_CALL_PROC_H
#define SCOPE_CALL_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "record/record.h"

enum { PROC_PATH = 64 };

/* "/proc/TID/name", and "/proc/TID/fd/FD". */
void proc_path(char path[static PROC_PATH], pid_t tid, const char *name);
void proc_fd_path(char path[static PROC_PATH], pid_t tid, int fd);

/* Read a link into `buffer`, not ended by a NUL. Returns its length or a negative errno. */
ssize_t proc_link(const char *path, char *buffer, size_t size);

/* Read a small file. Returns how much was read (== `size`: perhaps cut) or a negative errno. */
ssize_t proc_file(const char *path, void *buffer, size_t size);

/* What the file behind `path` is. Returns 0 or a negative errno. */
int proc_stat(const char *path, struct raw_stat *stat_out);

/* Whether a thread sleeps in the kernel, for any time (state S of proc(5)), or has ended. */
bool proc_sleeps(pid_t tid);

/* The device of the terminal that controls the process of `tid`, as in raw_stat; 0: none does. */
uint64_t proc_terminal(pid_t tid);

/*
 * The numbers of the open fds of `tid`, in no order. Returns how many, or a negative errno; `*fds_out`
 * is to be freed by the caller.
 */
ssize_t proc_fds(pid_t tid, uint32_t **fds_out);

/* The same of all processes that may be seen. */
ssize_t proc_pids(uint32_t **pids_out);

/* How many fds are open; 0 if /proc refuses to say. The quick one asks only kernels that count them. */
size_t proc_fd_count(pid_t tid);
size_t proc_quick_fd_count(pid_t tid);

/* Who a process is. Returns 0 or a negative errno: the kernel is older than Linux 6.13, for one. */
int proc_ids(pid_t pid, struct raw_ids *ids_out);

/* Its virtual memory, and what of it is resident, in KiB. Returns 0 or a negative errno. */
int proc_sizes(pid_t pid, uint64_t sizes_out[2]);

/* A number of /proc/TID/status, such as "Tgid:\t"; -1: no such line. */
long proc_status_number(pid_t tid, const char *key);

/* The process that a pidfd of a thread is about; 0: it is not known, or it is none. */
pid_t proc_pidfd(pid_t tid, int fd);

/* The signal sets of a thread: bit N - 1 is for signal N. */
struct proc_signals {
    uint64_t blocked, ignored, caught;
    pid_t own_tid; /* its number in its own PID namespace */
    bool init;     /* its process is number 1 of its PID namespace */
};

/* Returns 0 or a negative errno. */
int proc_signals(pid_t tid, struct proc_signals *signals_out);

/* A value of the auxiliary vector that the process got from exec (getauxval(3)); 0 if it has none. */
uint64_t proc_auxv(pid_t tid, uint32_t type);

#endif
