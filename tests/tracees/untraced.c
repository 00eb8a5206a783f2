/* Children made with CLONE_UNTRACED: they must be recorded, and work as usual. */
#include "expect.h"
#include <linux/sched.h>
#include <sched.h>

static void finish(const char *name, pid_t child)
{
    int status;

    MUST(child >= 0);
    if (child == 0) {
        int fd = open(name, O_CREAT | O_WRONLY, 0644);
        _exit(fd >= 0 && write(fd, "abc", 3) == 3 ? 7 : 8);
    }
    MUST(waitpid(child, &status, 0) == child);
    print_line("%s ended with %d", name, WEXITSTATUS(status));
    expect("'source': 'fs.open', 'file': '%s', 'pid': %d", here(name), child);
    expect("'source': 'fs.close', 'file': '%s', 'pid': %d, 'file_write_bytes': 3", here(name),
           child);
}

int main(void)
{
    finish("clone", syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0));

    struct clone_args args = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };
    finish("clone3", syscall(SYS_clone3, &args, sizeof args));

    /* What the program put there is still there. */
    print_line("flags %s", args.flags == CLONE_UNTRACED ? "kept" : "changed");
    return 0;
}
