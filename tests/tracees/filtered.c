/*
 * Calls that a seccomp filter of the program refuses, by each action of seccomp(2): none of them
 * was made, whatever the registers contain. Each is tried in a child with its own filter.
 */
#include "call32.h"
#include "expect.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>

enum { OPEN_I386 = 5 };

/* Answer these calls so, and allow all others. */
static void load(unsigned answer)
{
    static const int REFUSED[] = { SYS_openat, SYS_write, SYS_read,   SYS_connect, SYS_unlink,
                                   SYS_close,  SYS_mkdir, SYS_sendto, SYS_chdir };
    struct sock_filter rules[64];
    size_t used = 0, count = sizeof REFUSED / sizeof *REFUSED;

    rules[used++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    rules[used++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 3, 0);
    rules[used++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    rules[used++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OPEN_I386, count + 3, 0);
    rules[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    rules[used++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++)
        rules[used++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REFUSED[i], count - i, 0);
    rules[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    rules[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer);
    struct sock_fprog program = { used, rules };
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static long emulated;
static bool leaves;
static sigjmp_buf before;

static void on_trap(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    if (leaves)
        siglongjmp(before, 1);
    if (emulated)
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = emulated;
}

static void handle(long result, bool by_jump)
{
    struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

    emulated = result;
    leaves = by_jump;
    MUST(sigaction(SIGSYS, &action, NULL) == 0);
}

static char *low;

static long open_by_int80(void)
{
    return call32(OPEN_I386, (long)low, O_RDONLY, 0);
}

static int log_fd, tcp_fd;

static void try_all(void)
{
    struct sockaddr_in nowhere = { AF_INET, htons(9), { htonl(INADDR_LOOPBACK) }, { 0 } };
    char byte;

    open("/etc/shadow", O_RDONLY);
    open_by_int80();
    write(log_fd, "never written\n", 14);
    read(log_fd, &byte, 1);
    connect(tcp_fd, (struct sockaddr *)&nowhere, sizeof nowhere);
    unlink("kept");
    mkdir("never", 0755);
    chdir("/");
    close(log_fd);
}

static void expect_refusals(pid_t pid, const char *error)
{
    static const struct {
        const char *class, *op, *file;
    } ERRORS[] = {
        { "open_close", "openat", "/etc/shadow" },
        { "open_close", "open", "/etc/shadow" },
        { "read_write", "write", "log.log" },
        { "read_write", "read", "log.log" },
        { "delete", "unlink", "kept" },
        { "mkdir", "mkdir", "never" },
        { "cwd", "chdir", "/" },
    };

    for (size_t i = 0; i < sizeof ERRORS / sizeof *ERRORS; i++)
        expect("'source': 'fs.error', 'pid': %d, 'class': '%s', 'op': '%s', 'file': '%s', "
               "'error': '%s'",
               pid, ERRORS[i].class, ERRORS[i].op, here(ERRORS[i].file), error);
    expect(
        "'source': 'net.error', 'pid': %d, 'class': 'connection', 'op': 'connect', 'error': '%s'",
        pid, error);
}

/* Make all of them in a child that survives. */
static void survives(unsigned answer, long result, const char *error)
{
    pid_t pid = fork();

    if (pid == 0) {
        handle(result, false);
        load(answer);
        try_all();
        _exit(7);
    }
    int status;
    MUST(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
    expect_refusals(pid, error);
}

/* One call, in the child or a thread of it, that may end it. */
static void *open_shadow(void *unused)
{
    if (!sigsetjmp(before, 1))
        open("/etc/shadow", O_RDONLY);
    return unused;
}

static void *write_log(void *unused)
{
    write(log_fd, "never written\n", 14);
    return unused;
}

static void child_of_one(unsigned answer, bool by_jump, void *(*act)(void *), bool in_thread)
{
    pthread_t thread;

    if (by_jump)
        handle(0, true);
    load(answer);
    if (!in_thread)
        act(NULL);
    else if (pthread_create(&thread, NULL, act, NULL) == 0)
        pthread_join(thread, NULL);
    _exit(7);
}

static void one(unsigned answer, bool by_jump, void *(*act)(void *), bool in_thread, int status)
{
    bool opens = act == open_shadow;
    int found;
    pid_t pid = fork();

    if (pid == 0)
        child_of_one(answer, by_jump, act, in_thread);
    MUST(waitpid(pid, &found, 0) == pid && (found & ~0x80) == status);
    expect("'source': 'fs.error', 'pid': %d, 'op': '%s', 'file': '%s', 'error': 'seccomp'", pid,
           opens ? "openat" : "write", opens ? "/etc/shadow" : here("log.log"));
    if (WIFSIGNALED(status))
        expect("'source': 'proc.exit', 'pid': %d, 'signal': 'SIGSYS'", pid);
    else
        expect("'source': 'proc.exit', 'pid': %d, 'exit_code': 7", pid);
}

static void prepare(void)
{
    low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    MUST(low != MAP_FAILED);
    strcpy(low, "/etc/shadow");
    MUST(close(open("kept", O_CREAT | O_WRONLY, 0600)) == 0);
    expect_close("close", "kept", 0, 0, 0, 0);
    log_fd = open("log.log", O_CREAT | O_RDWR, 0600);
    tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
    MUST(log_fd >= 0 && tcp_fd >= 0);
}

int main(void)
{
    const int ENDED = 7 << 8;

    prepare();
    survives(SECCOMP_RET_TRAP, 0, "seccomp");      /* the handler changes nothing */
    survives(SECCOMP_RET_TRAP, -EACCES, "EACCES"); /* it answers as a sandbox does */
    survives(SECCOMP_RET_TRAP, 12345, "seccomp");  /* it says that all went well */
    survives(SECCOMP_RET_ERRNO, 0, "seccomp");     /* the filter itself says so: errno 0 */
    survives(SECCOMP_RET_ERRNO | EXDEV, 0, "EXDEV");
    survives(SECCOMP_RET_TRACE, 0, "ENOSYS");

    one(SECCOMP_RET_TRAP, true, open_shadow, false, ENDED); /* left by siglongjmp */
    for (int i = 0; i < 2; i++) {
        void *(*act)(void *) = i ? open_shadow : write_log;
        one(SECCOMP_RET_TRAP, false, act, false, SIGSYS);
        one(SECCOMP_RET_TRAP, false, act, true, SIGSYS);
        one(SECCOMP_RET_KILL_THREAD, false, act, false, SIGSYS);
        one(SECCOMP_RET_KILL_THREAD, false, act, true, ENDED);
        one(SECCOMP_RET_KILL_PROCESS, false, act, false, SIGSYS);
        one(SECCOMP_RET_KILL_PROCESS, false, act, true, SIGSYS);
    }
    MUST(access("kept", F_OK) == 0 && access("never", F_OK) < 0);
    expect_error("stat", "access", "never");
    expect("'source': 'fs.close', 'pid': %d, 'op': 'close', 'file': '%s', 'file_write_ops': 0",
           getpid(), here("log.log"));
    close(log_fd);
    return 0;
}
