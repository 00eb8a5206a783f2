/* Asks for children that no tracer shall follow: they must neither escape nor break. */
#include "tell.h"
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
    say("%s ended with %d", name, WEXITSTATUS(status));
    tell("'source': 'fs.open', 'file': '%s', 'pid': %d", here(name), child);
    tell("'source': 'fs.close', 'file': '%s', 'pid': %d, 'file_write_bytes': 3", here(name), child);
}

int main(void)
{
    finish("clone", syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0));

    struct clone_args args = { .flags = CLONE_UNTRACED, .exit_signal = SIGCHLD };
    finish("clone3", syscall(SYS_clone3, &args, sizeof args));

    /* What the program put there is still there. */
    say("flags %s", args.flags == CLONE_UNTRACED ? "kept" : "changed");
    return 0;
}
