/*
 * Changes its fds by commands, one a line, and answers each with the content of /proc/self/fd.
 *
 *   o NAME        open            d FD          dup           2 FD FD       dup2
 *   f FD MIN      F_DUPFD         c FD          close         r FROM TO     close_range
 *   e NAME        open, to be closed at exec                  k             fork; the child reads on
 *   x             exec itself     p             pipe          ?             no change
 *
 * The parent of a fork waits for its child and ends with it. Commands come through fd 100, answers
 * go through fd 101 (0 and 1 are moved there), so that commands can use all lower numbers.
 */
#include "expect.h"
#include <dirent.h>

#define COMMANDS 100
#define ANSWERS 101

static int read_line(char *line, size_t size)
{
    size_t length = 0;
    while (length + 1 < size && read(COMMANDS, line + length, 1) == 1)
        if (line[length++] == '\n') {
            line[length - 1] = 0;
            return 1;
        }
    return 0;
}

static void answer(void)
{
    char path[64], link[PATH_MAX], line[PATH_MAX + 32];
    for (int fd = 0; fd < COMMANDS; fd++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        ssize_t size = readlink(path, link, sizeof link - 1);
        if (size < 0)
            continue;
        link[size] = 0;
        size = snprintf(line, sizeof line, "%d %s\n", fd, link);
        MUST(write(ANSWERS, line, size) == size);
    }
    int size = snprintf(line, sizeof line, ". %d\n", getpid());
    MUST(write(ANSWERS, line, size) == size);
}

static void follow_child(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        return;
    MUST(waitpid(child, &status, 0) == child);
    _exit(WEXITSTATUS(status));
}

static void obey(const char *line, char *program)
{
    const char *name = line + 2;
    int a = -1, b = -1, pipes[2];
    sscanf(name, "%d %d", &a, &b);
    switch (line[0]) {
    case 'o':
        open(name, O_CREAT | O_RDWR, 0644);
        break;
    case 'e':
        open(name, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
        break;
    case 'd':
        dup(a);
        break;
    case '2':
        dup2(a, b);
        break;
    case 'f':
        fcntl(a, F_DUPFD, b);
        break;
    case 'c':
        close(a);
        break;
    case 'r':
        syscall(SYS_close_range, a, b, 0);
        break;
    case 'k':
        follow_child();
        break;
    case 'p':
        MUST(pipe(pipes) == 0);
        break;
    case 'x':
        execl(program, program, NULL);
        _exit(96);
    }
}

/* Move commands and answers out of the way, unless an image before this one has done so. */
static void move_away(void)
{
    if (fcntl(COMMANDS, F_GETFD) >= 0)
        return;
    int nothing = open("/dev/null", O_RDWR);
    MUST(dup2(0, COMMANDS) == COMMANDS && dup2(1, ANSWERS) == ANSWERS);
    MUST(dup2(nothing, 0) == 0 && dup2(nothing, 1) == 1 && dup2(nothing, 2) == 2);
    close(nothing);
}

int main(int argc, char **argv)
{
    char line[256];
    (void)argc;
    move_away();
    while (read_line(line, sizeof line)) {
        if (line[0] == '?')
            answer();
        else
            obey(line, argv[0]);
    }
    return 0;
}
