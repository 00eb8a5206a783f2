/*
 * The events that a tracee causes: it prints one JSON line for each, and the session must hold them.
 *
 * Quotes are written ' and become "; the braces are added. Lines are kept and printed at exit(), so
 * that printing causes no events in between. A process that ends by _exit() prints none.
 */
#ifndef EXPECT_H
#define EXPECT_H

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

static char expected[1 << 20];
static size_t expected_size;
static char start[PATH_MAX];

static void __attribute__((constructor)) expect_begin(void)
{
    if (!getcwd(start, sizeof start))
        abort();
}

static void __attribute__((destructor)) expect_end(void)
{
    for (size_t at = 0; at < expected_size;) {
        ssize_t written = write(STDOUT_FILENO, expected + at, expected_size - at);
        if (written <= 0)
            return;
        at += written;
    }
}

/* Print a line as it is, to compare it with that of an untraced run. */
static inline void __attribute__((format(printf, 1, 2))) print_line(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    expected_size +=
        vsnprintf(expected + expected_size, sizeof expected - expected_size, format, values);
    va_end(values);
    expected[expected_size++] = '\n';
}

/* Print an event that the session must hold. */
static inline void __attribute__((format(printf, 1, 2))) expect(const char *format, ...)
{
    va_list values;
    expected[expected_size++] = '{';
    va_start(values, format);
    int size = vsnprintf(expected + expected_size, sizeof expected - expected_size, format, values);
    va_end(values);
    for (int i = 0; i < size; i++, expected_size++)
        if (expected[expected_size] == '\'')
            expected[expected_size] = '"';
    expected_size += sprintf(expected + expected_size, "}\n");
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

static inline void expect_error(const char *class, const char *op, const char *name)
{
    expect("'source': 'fs.error', 'class': '%s', 'op': '%s', 'file': '%s', 'error': '%s'", class,
           op, here(name), error_name(errno));
}

/* Expect the event of an open or of its failure; returns its result. */
static inline int expect_open(const char *op, const char *name, int fd)
{
    if (fd < 0)
        expect_error("open_close", op, name);
    else
        expect("'source': 'fs.open', 'op': '%s', 'file': '%s', 'fd': %d", op, here(name), fd);
    return fd;
}

/* Expect the event of the last close of a file, with what was read and written. */
static inline void expect_close(const char *op, const char *name, long read_bytes, long read_ops,
                                long write_bytes, long write_ops)
{
    expect("'source': 'fs.close', 'op': '%s', 'file': '%s', 'file_read_bytes': %ld, "
           "'file_read_ops': %ld, 'file_write_bytes': %ld, 'file_write_ops': %ld",
           op, here(name), read_bytes, read_ops, write_bytes, write_ops);
}

/* Wait until a thread sleeps in a call (state S of its stat file, proc_pid_stat(5)). */
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

/* The same by its tid. Meanwhile a file is open, so the numbers of fds that a thread opens vary. */
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

/* End the tracee if a precondition of the test does not hold. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, strerror(errno));   \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)

#endif
