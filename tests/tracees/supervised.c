/*
 * A program whose calls a supervisor of its own answers (seccomp_unotify(2)): calls that it
 * continues are made as usual; for those that it answers, the result of the event is its answer,
 * however odd.
 */
#include "expect.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

enum { MADE_UP = 16 * 1000 * 1000 }; /* no fd of this process, and more than it may have */

static int listener;

static void answer(const struct seccomp_notif *asked, struct seccomp_notif_resp *answer)
{
    *answer = (struct seccomp_notif_resp){ .id = asked->id };
    if (asked->data.nr == SYS_mkdir)
        answer->val = 0;
    else if (asked->data.nr == SYS_unlink)
        answer->error = -EACCES;
    else if (asked->data.nr == SYS_recvmmsg)
        answer->val = 1LL << 40;
    else if (asked->data.nr == SYS_creat)
        answer->val = MADE_UP;
    else if (asked->data.nr == SYS_chdir)
        answer->val = SYS_chdir; /* the number itself: no sign that the call was trapped */
    else
        answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
}

static void *supervise(void *unused)
{
    struct seccomp_notif asked;
    struct seccomp_notif_resp answered;

    for (;;) {
        memset(&asked, 0, sizeof asked);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) < 0)
            continue;
        answer(&asked, &answered);
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answered);
    }
    return unused;
}

static void load(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 7, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_creat, 6, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unlink, 5, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_recvmmsg, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_chdir, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                            &program);
    MUST(listener >= 0);
}

static void *work(void *unused)
{
    struct mmsghdr none[1] = { { { 0 }, 0 } };
    int fd, pair[2];

    load();
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    fd = expect_open("openat", "log.log", open("log.log", O_CREAT | O_WRONLY, 0600));
    MUST(write(fd, "written\n", 8) == 8);
    expect_close("close", "log.log", 0, 0, 8, 1);
    MUST(close(fd) == 0);
    MUST(mkdir("told", 0700) == 0);
    expect("'source': 'fs.mkdir', 'op': 'mkdir', 'file': '%s'", here("told"));
    MUST(unlink("log.log") < 0 && errno == EACCES);
    expect_error("delete", "unlink", "log.log");
    MUST(syscall(SYS_recvmmsg, pair[1], none, 1, 0, NULL) == 1LL << 40);
    MUST(syscall(SYS_creat, "made-up", 0600) == MADE_UP);
    expect("'source': 'fs.open', 'op': 'creat', 'fd': %d", MADE_UP);
    expect_close("exit", "made-up", 0, 0, 0, 0);
    MUST(syscall(SYS_chdir, "told") == SYS_chdir);
    return unused;
}

int main(void)
{
    pthread_t worker, supervisor;

    MUST(pthread_create(&worker, NULL, work, NULL) == 0);
    while (!__atomic_load_n(&listener, __ATOMIC_ACQUIRE))
        sched_yield();
    MUST(pthread_create(&supervisor, NULL, supervise, NULL) == 0);
    MUST(pthread_join(worker, NULL) == 0);
    return 0;
}
