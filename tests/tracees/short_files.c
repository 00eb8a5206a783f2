/*
 * Files that are made, written, linked, changed and removed, by threads and children that write to the same one, so
 * many times each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(holds) must((holds) != 0, __LINE__)

enum { ROUNDS = 40 };

static void must(int holds, int line)
{
    if (holds)
        return;
    fprintf(stderr, "short_files: line %d: %s\n", line, strerror(errno));
    exit(1);
}

/* Each is a new inode, as the journals of databases are. */
static void new_files(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        int fd = open("journal", O_RDWR | O_CREAT | O_TRUNC, 0600);
        MUST(fd >= 0 && pwrite(fd, "first\n", 6, 0) == 6 && write(fd, "again\n", 6) == 6);
        MUST(close(fd) == 0 && unlink("journal") == 0);
    }
}

static int shared;

static void *write_lines(void *letter)
{
    char line[] = "thread a\n";

    line[7] = *(char *)letter;
    for (int round = 0; round < ROUNDS; round++)
        MUST(write(shared, line, sizeof line - 1) == sizeof line - 1);
    return letter;
}

static void writers(void)
{
    pthread_t threads[2];
    char letters[] = "bc", of_child = 'd';

    shared = open("shared", O_WRONLY | O_CREAT | O_APPEND, 0600);
    MUST(shared >= 0);
    for (int i = 0; i < 2; i++)
        MUST(pthread_create(&threads[i], NULL, write_lines, &letters[i]) == 0);
    for (int i = 0; i < 2; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    pid_t child = fork();
    if (!child) {
        write_lines(&of_child);
        _exit(0);
    }
    MUST(waitpid(child, NULL, 0) == child && close(shared) == 0);
}

static void names(void)
{
    MUST(mkdir("folder", 0700) == 0 && close(creat("folder/file", 0600)) == 0);
    MUST(symlink("file", "folder/symbolic") == 0 && symlink("folder", "way") == 0);
    for (int round = 0; round < ROUNDS; round++) {
        MUST(chmod("folder/file", round % 2 ? 0644 : 0600) == 0 &&
             chmod("way/symbolic", 0600) == 0);
        MUST(fchmodat(AT_FDCWD, "folder/file", 0640, 0) == 0);
        MUST(chown("folder/file", (uid_t)-1, getgid()) == 0);
        MUST(lchown("folder/symbolic", (uid_t)-1, (gid_t)-1) == 0);
        MUST(fchownat(AT_FDCWD, "way/file", (uid_t)-1, (gid_t)-1, 0) == 0);
        MUST(truncate("folder/file", round) == 0);
        MUST(link("folder/file", "folder/second") == 0 && link("way/file", "third") == 0);
        MUST(link("folder/symbolic", "fourth") == 0 && link("folder/file", "third") < 0);
        MUST(link("nothing", "third") < 0 && link("folder", "fifth") < 0);
        MUST(unlink("folder/second") == 0 && unlink("third") == 0 && unlink("fourth") == 0);
        MUST(chmod("nothing", 0600) < 0 && truncate("folder", 0) < 0 && chmod((char *)8, 0) < 0);
    }
    MUST(unlink("way") == 0 && unlink("folder/symbolic") == 0 && unlink("folder/file") == 0);
    MUST(chmod("way/file", 0600) < 0 && rmdir("folder") == 0);
}

static void copies(void)
{
    int fd = open("copied", O_RDWR | O_CREAT, 0600), copies[ROUNDS], pair[2];

    MUST(fd >= 0 && pipe(pair) == 0 && write(fd, "of all\n", 7) == 7);
    for (int round = 0; round < ROUNDS; round++) {
        copies[round] = round % 3 == 0   ? dup(fd)
                        : round % 3 == 1 ? fcntl(fd, F_DUPFD_CLOEXEC, 20)
                                         : dup(pair[1]);
        MUST(copies[round] >= 0 && write(copies[round], "one\n", 4) == 4);
        MUST(fcntl(copies[round], F_GETFD) >= 0);
    }
    for (int round = 0; round < ROUNDS; round++)
        MUST(close(copies[round]) == 0);
    MUST(dup(-1) < 0 && fcntl(fd, F_DUPFD, 1 << 30) < 0 && close(fd) == 0);
    MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static volatile sig_atomic_t got;

static void count(int number)
{
    (void)number;
    got++;
}

static void signals(void)
{
    pid_t child = fork();

    if (!child) {
        pause();
        _exit(0);
    }
    signal(SIGUSR1, count);
    for (int round = 0; round < ROUNDS; round++)
        MUST(kill(getpid(), SIGUSR1) == 0 && kill(child, 0) == 0);
    MUST(got == ROUNDS && kill(1 << 22, 0) < 0 && kill(child, 999) < 0);
    MUST(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

int main(void)
{
    new_files();
    writers();
    names();
    copies();
    signals();
    printf("all right\n");
    return 0;
}
