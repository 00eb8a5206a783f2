#include "call/proc.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
    STATUS_MAX = 4096,
    DIRECTORY_READ = 4096,
};

static char *put_number(char *at, unsigned number)
{
    char digits[12];
    int count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    while (count)
        *at++ = digits[--count];
    return at;
}

void proc_path(char path[static PROC_PATH], pid_t tid, const char *name)
{
    char *at = put_number(stpcpy(path, "/proc/"), (unsigned)tid);

    *at++ = '/';
    strcpy(at, name);
}

void proc_fd_path(char path[static PROC_PATH], pid_t tid, int fd)
{
    proc_path(path, tid, "fd/");
    *put_number(path + strlen(path), (unsigned)fd) = '\0';
}

ssize_t proc_link(const char *path, char *buffer, size_t size)
{
    ssize_t length = readlink(path, buffer, size);

    return length < 0 ? -errno : length;
}

ssize_t proc_file(const char *path, void *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;

    if (fd < 0)
        return -errno;
    while (length < size) {
        size_t room = size - length;
        ssize_t got = read(fd, (char *)buffer + length, room);
        length += got < 0 ? 0 : (size_t)got;
        if (got < (ssize_t)room) /* the kernel makes these files whole: no more follows */
            break;
    }
    close(fd);
    return (ssize_t)length;
}

int proc_stat(const char *path, struct raw_stat *stat_out)
{
    struct statx found;

    /* What the kernel has cached: the server of a file system may be slow, or be the thread that is stopped. */
    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_BTIME, &found) < 0)
        return -errno;
    *stat_out = (struct raw_stat){
        .dev = makedev(found.stx_dev_major, found.stx_dev_minor),
        .ino = found.stx_ino,
        .size = found.stx_size,
        .rdev = makedev(found.stx_rdev_major, found.stx_rdev_minor),
        .mode = found.stx_mode,
        .uid = found.stx_uid,
        .gid = found.stx_gid,
        .links = found.stx_nlink,
        .born_ns = found.stx_mask & STATX_BTIME
                       ? (uint64_t)found.stx_btime.tv_sec * 1000000000 + found.stx_btime.tv_nsec
                       : 0,
    };
    return 0;
}

/* The state and the controlling terminal of /proc/TID/stat; false if they could not be read. */
static bool read_stat(pid_t tid, char *state, unsigned *terminal)
{
    char path[PROC_PATH], text[512];

    proc_path(path, tid, "stat");
    ssize_t length = proc_file(path, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    const char *rest = strrchr(text, ')'); /* the name of the program may hold anything */
    return rest && sscanf(rest, ") %c %*d %*d %*d %u", state, terminal) == 2;
}

bool proc_sleeps(pid_t tid)
{
    unsigned ignored;
    char state;

    return !read_stat(tid, &state, &ignored) || state == 'S';
}

uint64_t proc_terminal(pid_t tid)
{
    unsigned number; /* as the kernel's new_encode_dev() packs it (linux/kdev_t.h) */
    char ignored;

    if (!read_stat(tid, &ignored, &number))
        return 0;
    return makedev(number >> 8 & 0xfff, (number & 0xff) | (number >> 12 & 0xfff00));
}

/* As getdents64(2) writes it; readdir(3) would make more calls, and allocate a buffer. */
struct directory_entry {
    uint64_t inode;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

/* Append the numbers among the names of some entries; false without memory. */
static bool append_numbers(const char *entries, size_t size, uint32_t **numbers, size_t *count)
{
    uint32_t *grown =
        realloc(*numbers, (*count + size / sizeof(struct directory_entry)) * sizeof **numbers);

    if (!grown)
        return false;
    *numbers = grown;
    for (size_t at = 0; at < size;) {
        const struct directory_entry *entry = (const struct directory_entry *)(entries + at);
        if (isdigit((unsigned char)entry->name[0]))
            grown[(*count)++] = (uint32_t)strtoul(entry->name, NULL, 10);
        at += entry->size;
    }
    return true;
}

/* The numbers among the names in a folder. */
static ssize_t read_numbers(const char *path, uint32_t **numbers_out)
{
    _Alignas(struct directory_entry) char entries[DIRECTORY_READ];
    size_t count = 0;
    ssize_t size;

    *numbers_out = NULL;
    int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    do
        size = syscall(SYS_getdents64, directory, entries, sizeof entries);
    while (size > 0 &&
           append_numbers(entries, (size_t)size, numbers_out, &count)); /* a signal cuts it */
    int status = size < 0 ? -errno : size ? -ENOMEM : 0;
    close(directory);
    return status < 0 ? status : (ssize_t)count;
}

ssize_t proc_fds(pid_t tid, uint32_t **fds_out)
{
    char path[PROC_PATH];

    proc_path(path, tid, "fd");
    return read_numbers(path, fds_out);
}

ssize_t proc_pids(uint32_t **pids_out)
{
    return read_numbers("/proc", pids_out);
}

/* The size of /proc/TID/fd, since Linux 6.2 (proc_fd_getattr); before, it is 0. */
size_t proc_quick_fd_count(pid_t tid)
{
    char path[PROC_PATH];
    struct stat found;

    proc_path(path, tid, "fd");
    return stat(path, &found) == 0 && found.st_size > 0 ? (size_t)found.st_size : 0;
}

size_t proc_fd_count(pid_t tid)
{
    size_t quick = proc_quick_fd_count(tid);
    uint32_t *fds = NULL;

    if (quick)
        return quick;
    ssize_t count = proc_fds(tid, &fds);
    free(fds);
    return count > 0 ? (size_t)count : 0;
}

/* PIDFD_GET_INFO of linux/pidfd.h, in its first form (Linux 6.13). */
struct pidfd_answer {
    uint64_t asked_for, cgroup;
    uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int32_t exit_code;
};

int proc_ids(pid_t pid, struct raw_ids *ids_out)
{
    enum { PID = 1 << 0, CREDENTIALS = 1 << 1 };
    struct pidfd_answer answer = { .asked_for = PID | CREDENTIALS };
    pid_t group = getpgid(pid);
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (group < 0 || fd < 0)
        return -errno;
    int status = ioctl(fd, _IOWR(0xff, 11, struct pidfd_answer), &answer) < 0 ? -errno : 0;
    close(fd);
    *ids_out = (struct raw_ids){ answer.ppid, (uint32_t)group, answer.euid, answer.egid };
    return status == 0 && !(answer.asked_for & CREDENTIALS) ? -ENODATA : status;
}

int proc_sizes(pid_t pid, uint64_t sizes_out[2])
{
    uint64_t page_kib = (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
    char path[PROC_PATH], text[128], *rest;

    proc_path(path, pid, "statm");
    ssize_t length = proc_file(path, text, sizeof text - 1);
    if (length <= 0)
        return length < 0 ? (int)length : -ESRCH;
    text[length] = '\0';
    sizes_out[0] = strtoull(text, &rest, 10) * page_kib;
    sizes_out[1] = strtoull(rest, NULL, 10) * page_kib;
    return 0;
}

static ssize_t read_text(const char *path, char text[static STATUS_MAX])
{
    ssize_t length = proc_file(path, text, STATUS_MAX - 1);

    if (length >= 0)
        text[length] = '\0';
    return length;
}

static ssize_t read_status(pid_t tid, char text[static STATUS_MAX])
{
    char path[PROC_PATH];

    proc_path(path, tid, "status");
    return read_text(path, text);
}

/* The text after `key`, or "" if there is no such line. */
static const char *value_of(const char *text, const char *key)
{
    const char *line = strstr(text, key);

    return line ? line + strlen(key) : "";
}

long proc_status_number(pid_t tid, const char *key)
{
    char text[STATUS_MAX];

    if (read_status(tid, text) < 0)
        return -1;
    const char *value = value_of(text, key);
    return *value ? strtol(value, NULL, 10) : -1;
}

pid_t proc_pidfd(pid_t tid, int fd)
{
    char path[PROC_PATH], text[STATUS_MAX];

    proc_path(path, tid, "fdinfo/");
    *put_number(path + strlen(path), (unsigned)fd) = '\0';
    if (read_text(path, text) < 0)
        return 0;
    long pid = strtol(value_of(text, "\nPid:\t"), NULL, 10);
    return pid > 0 ? (pid_t)pid : 0;
}

/* The last number of a line: that of the innermost PID namespace, of NStgid and NSpid. */
static pid_t last_number_of(const char *text, const char *key)
{
    const char *numbers = value_of(text, key);
    size_t length = strcspn(numbers, "\n");

    while (length && numbers[length - 1] != '\t')
        length--;
    return (pid_t)strtol(numbers + length, NULL, 10);
}

int proc_signals(pid_t tid, struct proc_signals *signals_out)
{
    char text[STATUS_MAX];

    ssize_t length = read_status(tid, text);
    if (length < 0)
        return (int)length;
    *signals_out = (struct proc_signals){
        .blocked = strtoull(value_of(text, "\nSigBlk:\t"), NULL, 16),
        .ignored = strtoull(value_of(text, "\nSigIgn:\t"), NULL, 16),
        .caught = strtoull(value_of(text, "\nSigCgt:\t"), NULL, 16),
        .own_tid = last_number_of(text, "\nNSpid:"),
        .init = last_number_of(text, "\nNStgid:") == 1,
    };
    return 0;
}

/* Pairs of a type and a value, of eight bytes each, or of four in a 32-bit program. */
uint64_t proc_auxv(pid_t tid, uint32_t type)
{
    union {
        uint64_t words[64];
        uint32_t halves[128];
    } found;
    char path[PROC_PATH];

    proc_path(path, tid, "auxv");
    ssize_t size = proc_file(path, &found, sizeof found);
    for (ssize_t i = 0; (i + 2) * 8 <= size; i += 2)
        if (found.words[i] == type)
            return found.words[i + 1];
    for (ssize_t i = 0; (i + 2) * 4 <= size; i += 2)
        if (found.halves[i] == type)
            return found.halves[i + 1];
    return 0;
}
