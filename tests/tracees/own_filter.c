/* A program with a seccomp filter of its own: calls that it forbids fail, all others are recorded. */
#include "expect.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

int main(int argc, char **argv)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unlink, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };
    (void)argv;

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    if (argc > 1)
        MUST(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
    else
        MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);

    int fd = expect_open("openat", "seen", open("seen", O_CREAT | O_WRONLY, 0644));
    MUST(write(fd, "abc", 3) == 3);
    expect_close("close", "seen", 0, 0, 3, 1);
    close(fd);
    MUST(mkdir("forbidden", 0755) < 0 && errno == EPERM);
    expect_error("mkdir", "mkdir", "forbidden");
    expect_open("openat", "absent", open("absent", O_RDONLY));

    pid_t child = fork();
    if (child == 0)
        _exit(open("by-child", O_CREAT | O_WRONLY, 0644) >= 0 ? 0 : 1);
    MUST(waitpid(child, NULL, 0) == child);
    expect("'source': 'fs.open', 'file': '%s', 'pid': %d", here("by-child"), child);
    expect("'source': 'fs.close', 'op': 'exit', 'file': '%s', 'pid': %d", here("by-child"), child);
    return 0;
}
