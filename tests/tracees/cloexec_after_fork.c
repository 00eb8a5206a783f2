/* Close-on-exec belongs to the fd of one process: parent and child change theirs after fork(2). */
#include "expect.h"

static int made(const char *name)
{
    return expect_open("openat", name, open(name, O_CREAT | O_WRONLY, 0644));
}

int main(int argc, char **argv)
{
    int status;

    if (argc > 1)
        return fcntl(atoi(argv[1]), F_GETFD) >= 0 && fcntl(atoi(argv[2]), F_GETFD) < 0 ? 0 : 1;
    int parents = made("parents"), childs = made("childs");
    char kept[16], gone[16];
    pid_t child = fork();
    if (child == 0) {
        usleep(1000); /* whichever changes first, each changes its own */
        MUST(write(parents, "a", 1) == 1 && write(childs, "bc", 2) == 2);
        MUST(fcntl(childs, F_SETFD, FD_CLOEXEC) == 0);
        snprintf(kept, sizeof kept, "%d", parents);
        snprintf(gone, sizeof gone, "%d", childs);
        execl(argv[0], argv[0], kept, gone, NULL);
        _exit(98);
    }
    MUST(fcntl(parents, F_SETFD, FD_CLOEXEC) == 0);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'fs.close', 'op': 'execve', 'pid': %d, 'file': '%s', 'file_write_bytes': 2",
           child, here("childs"));
    expect("'source': 'fs.close', 'op': 'exit', 'pid': %d, 'file': '%s', 'file_write_bytes': 1",
           child, here("parents"));
    expect_close("exit", "childs", 0, 0, 0, 0);
    expect_close("exit", "parents", 0, 0, 0, 0);
    return 0;
}
