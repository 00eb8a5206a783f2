/*
 * A program that is not dumpable, as one that holds secrets: /proc/PID cannot be read. First the first
 * call of a process that nothing has been read of before. With an argument, it is so before its first call on a
 * file.
 */
#include "expect.h"
#include <sys/prctl.h>

static int hidden_at_once(void)
{
    MUST(prctl(PR_SET_DUMPABLE, 0) == 0);
    for (int i = 0; i < 50; i++) {
        int fd = expect_open("openat", "hidden", open("hidden", O_CREAT | O_WRONLY, 0600));
        expect_close("close", "hidden", 0, 0, 0, 0);
        close(fd);
    }
    return 0;
}

int main(int count, char **arguments)
{
    int status;

    (void)arguments;
    if (count > 1)
        return hidden_at_once();

    MUST(mkdir("sub", 0755) == 0);
    pid_t child = fork();
    if (child == 0) {
        MUST(prctl(PR_SET_DUMPABLE, 0) == 0);
        _exit(open("of_child", O_CREAT | O_WRONLY, 0600) < 0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'fs.open', 'pid': %d, 'file': '%s'", child, here("of_child"));
    expect("'source': 'fs.close', 'pid': %d, 'file': '%s'", child, here("of_child"));
    MUST(prctl(PR_SET_DUMPABLE, 0) == 0);
    int fd = expect_open("openat", "secret.log", open("secret.log", O_CREAT | O_WRONLY, 0600));
    MUST(write(fd, "hidden\n", 7) == 7);
    expect_close("close", "secret.log", 0, 0, 7, 1);
    close(fd);
    expect_open("openat", "absent", open("absent", O_RDONLY));
    fd = expect_open("openat", "/etc/hostname", open("/etc/hostname", O_RDONLY));
    if (fd >= 0)
        close(fd);
    MUST(chdir("sub") == 0);
    fd = expect_open("openat", "sub/below", open("below", O_CREAT | O_WRONLY, 0600));
    expect_close("close", "sub/below", 0, 0, 0, 0);
    close(fd);
    return 0;
}
