/* Children by fork, vfork, clone, clone3 and posix_spawn; each opens a file of its own. */
#include "expect.h"
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>

extern char **environ;

static void visit(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    if (fd >= 0)
        close(fd);
}

static int child_of_clone(void *name)
{
    visit(name);
    return 0;
}

/* Expect the events of a child, and wait for it. */
static void expect_child(const char *op, const char *name, pid_t child)
{
    int status;
    MUST(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'proc.fork', 'op': '%s', 'child_pid': %d", op, child);
    expect("'source': 'fs.open', 'file': '%s', 'pid': %d", here(name), child);
    expect("'source': 'proc.exit', 'pid': %d, 'exit_code': 0", child);
}

static pid_t by_clone3(const char *name)
{
    struct clone_args args = { .exit_signal = SIGCHLD };
    pid_t child = syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) {
        visit(name);
        _exit(0);
    }
    return child;
}

static pid_t by_spawn(char *program, const char *name)
{
    pid_t child = -1;
    char *argv[] = { program, (char *)name, NULL };
    MUST(posix_spawn(&child, program, NULL, NULL, argv, environ) == 0);
    return child;
}

int main(int argc, char **argv)
{
    static char stack[65536] __attribute__((aligned(16)));

    if (argc > 1) {
        visit(argv[1]);
        _exit(0);
    }
    pid_t child = fork();
    if (child == 0) {
        visit("by-fork");
        _exit(0);
    }
    expect_child("fork", "by-fork", child);

    child = vfork();
    if (child == 0) {
        visit("by-vfork");
        _exit(0);
    }
    expect_child("vfork", "by-vfork", child);

    child = clone(child_of_clone, stack + sizeof stack, SIGCHLD, "by-clone");
    expect_child("fork", "by-clone", child);
    child = clone(child_of_clone, stack + sizeof stack, CLONE_FS | CLONE_FILES | SIGCHLD, "shares");
    expect_child("clone", "shares", child);
    expect_child("fork", "by-clone3", by_clone3("by-clone3"));
    expect_child("vfork", "by-spawn", by_spawn(argv[0], "by-spawn"));
    return 0;
}
