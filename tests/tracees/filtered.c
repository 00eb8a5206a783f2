/* Children with a seccomp filter each, by which chdir(2) and getsid(2) are refused in all ways. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void on_refusal(int signal)
{
    (void)signal;
}

static void load(unsigned action)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsid, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chdir, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(void)
{
    static const unsigned ACTIONS[] = {
        SECCOMP_RET_TRAP | 5,  SECCOMP_RET_ERRNO | EACCES, SECCOMP_RET_ERRNO,
        SECCOMP_RET_TRACE | 7, SECCOMP_RET_KILL_THREAD,    SECCOMP_RET_KILL_PROCESS,
    };
    struct sigaction action = { .sa_handler = on_refusal };

    for (size_t i = 0; i < sizeof ACTIONS / sizeof *ACTIONS; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            sigaction(SIGSYS, &action, NULL);
            load(ACTIONS[i]);
            syscall(SYS_getsid, 0);
            syscall(SYS_chdir, "/");
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
    return 0;
}
