/*
 * How a tracee says what it did: one JSON line for each event that the session must hold.
 *
 * Quotes are written ' and become "; the braces are added. Lines are kept and written by exit(), so
 * that telling is no part of what is told. A process that ends by _exit() tells nothing.
 */
#ifndef TELL_H
#define TELL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static char told[1 << 20];
static size_t told_size;
static char start[PATH_MAX];

static void __attribute__((constructor)) tell_begin(void)
{
    if (!getcwd(start, sizeof start))
        abort();
}

static void __attribute__((destructor)) tell_end(void)
{
    for (size_t at = 0; at < told_size;) {
        ssize_t written = write(STDOUT_FILENO, told + at, told_size - at);
        if (written <= 0)
            return;
        at += written;
    }
}

/* Add a line as it is: something to compare with an untraced run. */
static inline void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    told_size += vsnprintf(told + told_size, sizeof told - told_size, format, values);
    va_end(values);
    told[told_size++] = '\n';
}

/* Add a line that is an event. */
static inline void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
    va_list values;
    told[told_size++] = '{';
    va_start(values, format);
    int size = vsnprintf(told + told_size, sizeof told - told_size, format, values);
    va_end(values);
    for (int i = 0; i < size; i++, told_size++)
        if (told[told_size] == '\'')
            told[told_size] = '"';
    told_size += sprintf(told + told_size, "}\n");
}

/* The absolute path of a name in the folder where the program started. */
static inline const char *here(const char *name)
{
    static char paths[4][PATH_MAX * 2];
    static int next;
    char *path = paths[next++ % 4];
    if (name[0] == '/')
        return name;
    snprintf(path, sizeof paths[0], "%s/%s", start, name);
    return path;
}

static inline const char *error_name(int error)
{
    switch (error) {
    case ENOENT:
        return "ENOENT";
    case EACCES:
        return "EACCES";
    case ENOTDIR:
        return "ENOTDIR";
    case EEXIST:
        return "EEXIST";
    case EISDIR:
        return "EISDIR";
    case ELOOP:
        return "ELOOP";
    case EPERM:
        return "EPERM";
    case ENOTEMPTY:
        return "ENOTEMPTY";
    case EXDEV:
        return "EXDEV";
    case ENOSYS:
        return "ENOSYS";
    case ENOEXEC:
        return "ENOEXEC";
    case EINVAL:
        return "EINVAL";
    case EINTR:
        return "EINTR";
    case ENAMETOOLONG:
        return "ENAMETOOLONG";
    case EFAULT:
        return "EFAULT";
    }
    return "another";
}

static inline void failed(const char *class, const char *op, const char *name)
{
    tell("'source': 'fs.error', 'class': '%s', 'op': '%s', 'file': '%s', 'error': '%s'", class, op,
         here(name), error_name(errno));
}

/* Tell what an open did and hand its result on. */
static inline int opened(const char *op, const char *name, int fd)
{
    if (fd < 0)
        failed("open_close", op, name);
    else
        tell("'source': 'fs.open', 'op': '%s', 'file': '%s', 'fd': %d", op, here(name), fd);
    return fd;
}

/* Tell that the last fd of a file goes away, and what went through it. */
static inline void closes(const char *op, const char *name, long read_bytes, long read_ops,
                          long write_bytes, long write_ops)
{
    tell("'source': 'fs.close', 'op': '%s', 'file': '%s', 'file_read_bytes': %ld, "
         "'file_read_ops': %ld, 'file_write_bytes': %ld, 'file_write_ops': %ld",
         op, here(name), read_bytes, read_ops, write_bytes, write_ops);
}

/* Return when a thread sleeps in a call that waits (state S of its stat file, proc_pid_stat(5)). */
static inline void await_sleep_in(int stat)
{
    char line[64], state = 0;

    while (state != 'S') {
        ssize_t size = pread(stat, line, sizeof line - 1, 0);
        if (size <= 0)
            _exit(97);
        line[size] = 0;
        char *name_end = strrchr(line, ')');
        state = name_end ? name_end[2] : 0;
        usleep(1000);
    }
}

/* The same by its id. For that long a file is open, so the fds that a thread gets meanwhile vary. */
static inline void await_sleep(pid_t tid)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/%d/stat", tid);
    int stat = open(path, O_RDONLY);
    if (stat < 0)
        _exit(97);
    await_sleep_in(stat);
    close(stat);
}

/* End the tracee when something that must work did not: the test is then no test. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerror(errno));   \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)

#endif
