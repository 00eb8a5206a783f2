/*
 * Calls with a signal at every instruction, in a program that is recorded: recorded REPORT FIRST EVERY,
 * for which FIRST is the number of the first instruction, and EVERY how far the next one is. The recorder
 * makes the steps (stepper.c). Each call must have its result, and each register, flag and byte of the
 * stack must be as natively; what was recorded is compared with the lines that are printed: the site,
 * the case, how often its call was made, and how many instructions there are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "interrupted.h"
#include "stepper.h"

enum { WARM_UP = 3 };

static const char *report;
static volatile sig_atomic_t handled;
static uint64_t first, every;
static int zero;
static char byte;
static struct stat found;

/* The handler makes calls of its own, which go through the gate again. */
static void on_signal(int number, siginfo_t *info, void *context)
{
    struct stat other;
    char read_byte;

    (void)number, (void)info;
    handled++;
    if (current)
        check_context(context);
    if (read(zero, &read_byte, 1) != 1 || read_byte || stat("/", &other))
        complain("a call", "the handler", errno);
}

static void never(int number)
{
    complain("the request", "the step", number);
}

/* -- cases ------------------------------------------------------------------------------------- */

static int file, scratch, copied, here, pair[2];
static off_t copied_from;
static char folder[PATH_MAX];
static struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

static void nothing(void)
{
}

static void open_scratch(void)
{
    scratch = open("closing", O_RDONLY);
}

static void close_scratch(void)
{
    close(scratch);
}

static void close_pair(void)
{
    close(pair[0]);
    close(pair[1]);
}

static void open_new(void)
{
    scratch = open("written", O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static void unlink_second(void)
{
    unlink("linked");
}

static void make_name(void)
{
    close(open("removed", O_WRONLY | O_CREAT, 0600));
}

static void make_name_here(void)
{
    close(open("taken", O_WRONLY | O_CREAT, 0600));
}

static void remove_made(void)
{
    if (rmdir("made"))
        complain("mkdir", "which was not made", errno);
}

static void go_to_start(void)
{
    copied_from = 100;
}

/* -- sockets: each case of these is one connection -- */

static int listener, peer, connected, value;
static socklen_t value_size = sizeof value;
static struct sockaddr_in address = { .sin_family = AF_INET },
                          datagrams_at = { .sin_family = AF_INET };

static void listen_on_loopback(void)
{
    socklen_t size = sizeof address;

    address.sin_addr.s_addr = datagrams_at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 8) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        abort();
}

static void make_socket(void)
{
    scratch = socket(AF_INET, SOCK_STREAM, 0);
}

static void begin_connection(void)
{
    peer = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer, (struct sockaddr *)&address, sizeof address))
        abort();
}

static void make_connection(void)
{
    begin_connection();
    connected = scratch = accept(listener, NULL, NULL);
}

/* Datagrams, each of a socket of its own. */
static struct sockaddr_in sender;
static socklen_t sender_size;

static void open_datagrams(void)
{
    static int receiver;

    if (!receiver) {
        socklen_t size = sizeof datagrams_at;
        receiver = socket(AF_INET, SOCK_DGRAM, 0);
        if (bind(receiver, (struct sockaddr *)&datagrams_at, size) ||
            getsockname(receiver, (struct sockaddr *)&datagrams_at, &size))
            abort();
    }
    connected = receiver;
    scratch = socket(AF_INET, SOCK_DGRAM, 0);
}

static void send_datagram(void)
{
    open_datagrams();
    sender_size = sizeof sender;
    if (sendto(scratch, "x", 1, 0, (struct sockaddr *)&datagrams_at, sizeof datagrams_at) != 1)
        abort();
}

static void take_datagram(void)
{
    if (read(connected, &byte, 1) != 1)
        abort();
    close(scratch);
}

static void check_sender(void)
{
    if (sender_size != sizeof sender || sender.sin_family != AF_INET)
        abort();
    close(scratch);
}

static char sent_byte = 'x';
static struct iovec outgoing = { &sent_byte, 1 }, incoming = { &byte, 1 };
static struct msghdr sent_message = { .msg_name = &datagrams_at,
                                      .msg_namelen = sizeof datagrams_at,
                                      .msg_iov = &outgoing,
                                      .msg_iovlen = 1 },
                     got_message = { .msg_name = &sender, .msg_iov = &incoming, .msg_iovlen = 1 };

static void send_message(void)
{
    send_datagram();
    got_message.msg_namelen = sizeof sender;
}

static void check_message(void)
{
    sender_size = got_message.msg_namelen;
    check_sender();
}

/* A connection that is begun without waiting. */
static void make_hasty_socket(void)
{
    scratch = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

static void hurry(void)
{
    make_hasty_socket();
    if (connect(scratch, (struct sockaddr *)&address, sizeof address) == 0 || errno != EINPROGRESS)
        abort();
    peer = accept(listener, NULL, NULL);
    if (poll(&(struct pollfd){ scratch, POLLOUT, 0 }, 1, -1) != 1)
        abort();
}

static void hurry_and_ask(void)
{
    hurry();
    if (connect(scratch, (struct sockaddr *)&address, sizeof address))
        abort();
}

static void close_peer(void)
{
    close(peer);
}

static void close_both(void)
{
    close(scratch);
    close(peer);
}

static void close_copied_socket(void)
{
    close(connected);
    close_both();
}

static void close_connected(void)
{
    close(accept(listener, NULL, NULL));
    close(scratch);
}

/* -- others -- */

/* An fd that a call has made which is not recorded, with a number that none had before. */
static void make_unknown(void)
{
    timerfd_create(CLOCK_MONOTONIC, 0); /* in place of the last one */
    scratch = timerfd_create(CLOCK_MONOTONIC, 0);
}

static char *no_words[] = { NULL };
static struct rlimit core;

/* A thread: it stores its registers and ends. */
enum {
    THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_THREAD |
             CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
    PROCESS = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
};
extern uint64_t born[ALL];
uint64_t born[ALL];
static _Alignas(64) uint8_t thread_stack[4096];
static pid_t parents_tid;
static volatile pid_t childs_tid;
static uint64_t refused_flags[11] = { CLONE_THREAD }, refused_birth[11] = { CLONE_SIGHAND };

__asm__(SITE_AND("with_thread", "jmp 1f\n.nops 16\n1:\n",
                 "xchg %rax, %rcx\njrcxz 2f\nxchg %rax, %rcx\njmp 3f\n2:\nxchg %rax, %rcx\n"
                 "mov %rax, born + 8 * 0(%rip)\nmov %rbx, born + 8 * 1(%rip)\n"
                 "mov %rcx, born + 8 * 2(%rip)\nmov %rdx, born + 8 * 3(%rip)\n"
                 "mov %rsi, born + 8 * 4(%rip)\nmov %rdi, born + 8 * 5(%rip)\n"
                 "mov %rbp, born + 8 * 6(%rip)\nmov %rsp, born + 8 * 7(%rip)\n"
                 "mov %r8, born + 8 * 8(%rip)\nmov %r9, born + 8 * 9(%rip)\n"
                 "mov %r10, born + 8 * 10(%rip)\nmov %r11, born + 8 * 11(%rip)\n"
                 "mov %r12, born + 8 * 12(%rip)\nmov %r13, born + 8 * 13(%rip)\n"
                 "mov %r14, born + 8 * 14(%rip)\nmov %r15, born + 8 * 15(%rip)\n"
                 "pushfq\npop born + 8 * 16(%rip)\nmov $60, %eax\nxor %edi, %edi\nsyscall\n3:\n"));

extern const char with_thread_back[];
void with_thread(void);
static const struct site THREAD_SITE = { "thread", with_thread, with_thread_back, 0 };

static void expect_thread(void)
{
    parents_tid = -1;
    childs_tid = 1;
}

/* The kernel gives the thread the registers of its parent, but for the result and the stack. */
static void check_thread(void)
{
    while (childs_tid)
        sched_yield();
    before[RAX] = 0;
    before[RSP] = (uint64_t)(thread_stack + sizeof thread_stack);
    for (int i = 0; i < ALL; i++)
        if (born[i] != before[i])
            complain("a register", "a new thread", (long long)i);
}

static void check_process(void)
{
    check_thread();
    if (waitpid((pid_t)parents_tid, NULL, __WALL) != parents_tid)
        abort();
}

/* Arguments of 0 that are pointers or fds are filled in by run_case. */
static struct step_case {
    const char *name;
    struct call call;
    int64_t result;
    void (*begin)(void), (*end)(void);
} CASES[] = {
    { "read", { "", SYS_read, { 0, (uint64_t)&byte, 1 } }, 1, nothing, nothing },
    { "stat", { "", SYS_stat, { (uint64_t) "/", (uint64_t)&found, 0 } }, 0, nothing, nothing },
    { "read to nowhere", { "", SYS_read, { 0, 8, 1 } }, -EFAULT, nothing, nothing },
    { "lseek", { "", SYS_lseek, { 0, 7, SEEK_SET } }, 7, nothing, nothing },
    { "open", { "", SYS_open, { (uint64_t) "opened", O_RDONLY, 0 } }, 0, nothing, close_scratch },
    { "openat",
      { "", SYS_openat, { (uint64_t)AT_FDCWD, (uint64_t) "openat", O_RDONLY } },
      0,
      nothing,
      close_scratch },
    { "open nothing",
      { "", SYS_open, { (uint64_t) "nothing", O_RDONLY, 0 } },
      -ENOENT,
      nothing,
      nothing },
    { "open nowhere", { "", SYS_open, { 8, O_RDONLY, 0 } }, -EFAULT, nothing, nothing },
    { "close", { "", SYS_close, { 0, 0, 0 } }, 0, open_scratch, nothing },
    { "sendfile",
      { "", SYS_sendfile, { 0, 0, (uint64_t)&copied_from, 1 } },
      1,
      go_to_start,
      nothing },
    { "fchmod", { "", SYS_fchmod, { 0, 0600 } }, 0, nothing, nothing },
    { "unlink", { "", SYS_unlink, { (uint64_t) "removed" } }, 0, make_name, nothing },
    { "unlink nothing", { "", SYS_unlink, { (uint64_t) "nowhere" } }, -ENOENT, nothing, nothing },
    { "unlinkat", { "", SYS_unlinkat, { 0, (uint64_t) "taken", 0 } }, 0, make_name_here, nothing },
    { "mkdir", { "", SYS_mkdir, { (uint64_t) "made", 0700 } }, 0, nothing, remove_made },
    { "access to nothing",
      { "", SYS_faccessat, { 0, (uint64_t) "away", F_OK } },
      -ENOENT,
      nothing,
      nothing },
    { "stat nothing", { "", SYS_stat, { (uint64_t) "absent", 8 } }, -ENOENT, nothing, nothing },
    { "fcntl", { "", SYS_fcntl, { 0, F_SETLK, (uint64_t)&whole } }, 0, nothing, nothing },
    { "lock of nothing", { "", SYS_fcntl, { 0, F_SETLK, 8 } }, -EFAULT, nothing, nothing },
    { "dup", { "", SYS_dup, { 0 } }, 0, nothing, close_scratch },
    { "copy", { "", SYS_fcntl, { 0, F_DUPFD_CLOEXEC, 0 } }, 0, nothing, close_scratch },
    { "pipe", { "", SYS_pipe2, { (uint64_t)pair, O_CLOEXEC } }, 0, nothing, close_pair },
    { "copy of a socket", { "", SYS_dup, { 0 } }, 0, make_connection, close_copied_socket },
    { "chmod", { "", SYS_chmod, { (uint64_t) "copied", 0600 } }, 0, nothing, nothing },
    { "link",
      { "", SYS_link, { (uint64_t) "copied", (uint64_t) "linked" } },
      0,
      nothing,
      unlink_second },
    { "first write", { "", SYS_write, { 0, (uint64_t)&byte, 1 } }, 1, open_new, close_scratch },
    { "socket", { "", SYS_socket, { AF_INET, SOCK_STREAM, 0 } }, 0, nothing, close_scratch },
    { "connect",
      { "", SYS_connect, { 0, (uint64_t)&address, sizeof address } },
      0,
      make_socket,
      close_connected },
    { "accept", { "", SYS_accept, { 0, 0, 0 } }, 0, begin_connection, close_both },
    { "shutdown", { "", SYS_shutdown, { 0, SHUT_WR, 0 } }, 0, make_connection, close_both },
    { "close of a socket", { "", SYS_close, { 0, 0, 0 } }, 0, make_connection, close_peer },
    { "sendto",
      { "",
        SYS_sendto,
        { 0, (uint64_t)&byte, 1, MSG_NOSIGNAL, (uint64_t)&datagrams_at, sizeof datagrams_at } },
      1,
      open_datagrams,
      take_datagram },
    { "recvfrom",
      { "",
        SYS_recvfrom,
        { 0, (uint64_t)&byte, 1, MSG_DONTWAIT, (uint64_t)&sender, (uint64_t)&sender_size } },
      1,
      send_datagram,
      check_sender },
    { "sendmsg",
      { "", SYS_sendmsg, { 0, (uint64_t)&sent_message, MSG_NOSIGNAL } },
      1,
      open_datagrams,
      take_datagram },
    { "recvmsg",
      { "", SYS_recvmsg, { 0, (uint64_t)&got_message, MSG_DONTWAIT } },
      1,
      send_message,
      check_message },
    { "connect begun",
      { "", SYS_connect, { 0, (uint64_t)&address, sizeof address } },
      -EINPROGRESS,
      make_hasty_socket,
      close_connected },
    { "socket error",
      { "", SYS_getsockopt, { 0, SOL_SOCKET, SO_ERROR, (uint64_t)&value, (uint64_t)&value_size } },
      0,
      hurry,
      close_both },
    { "connect again",
      { "", SYS_connect, { 0, (uint64_t)&address, sizeof address } },
      0,
      hurry,
      close_both },
    { "connect once more",
      { "", SYS_connect, { 0, (uint64_t)&address, sizeof address } },
      -EISCONN,
      hurry_and_ask,
      close_both },
    { "first send", { "", SYS_write, { 0, (uint64_t)&byte, 1 } }, 1, hurry, close_both },
    { "close of a connection begun", { "", SYS_close, { 0, 0, 0 } }, 0, hurry, close_peer },
    { "thread refused",
      { "", SYS_clone3, { (uint64_t)refused_flags, sizeof refused_flags } },
      -EINVAL,
      nothing,
      nothing },
    { "process refused",
      { "", SYS_clone3, { (uint64_t)refused_birth, sizeof refused_birth } },
      -EINVAL,
      nothing,
      nothing },
    { "exec nothing",
      { "", SYS_execve, { (uint64_t) "gone", (uint64_t)no_words, (uint64_t)no_words } },
      -ENOENT,
      nothing,
      nothing },
    { "exec a folder",
      { "", SYS_execve, { (uint64_t) "/", (uint64_t)no_words, (uint64_t)no_words } },
      -EACCES,
      nothing,
      nothing },
    { "close the unknown", { "", SYS_close, { 0 } }, 0, make_unknown, nothing },
    { "same users",
      { "", SYS_setresuid, { UINT32_MAX, UINT32_MAX, UINT32_MAX } },
      0,
      nothing,
      nothing },
    { "same groups",
      { "", SYS_setresgid, { UINT32_MAX, UINT32_MAX, UINT32_MAX } },
      0,
      nothing,
      nothing },
    { "limit", { "", SYS_setrlimit, { RLIMIT_CORE, (uint64_t)&core } }, 0, nothing, nothing },
    { "getcwd", { "", SYS_getcwd, { (uint64_t)folder, sizeof folder } }, 0, nothing, nothing },
};

static const struct step_case THREAD_CASE = {
    "thread",
    { "",
      SYS_clone,
      { THREAD, (uint64_t)(thread_stack + sizeof thread_stack), (uint64_t)&parents_tid,
        (uint64_t)&childs_tid } },
    1,
    expect_thread,
    check_thread,
};

static const struct step_case PROCESS_CASE = {
    "process",
    { "",
      SYS_clone,
      { PROCESS, (uint64_t)(thread_stack + sizeof thread_stack), (uint64_t)&parents_tid,
        (uint64_t)&childs_tid } },
    1,
    expect_thread,
    check_process,
};

static bool is_about_file(const struct step_case *asked)
{
    const uint64_t number = asked->call.number;

    return number == SYS_read || number == SYS_lseek || number == SYS_fcntl ||
           number == SYS_fchmod || number == SYS_dup;
}

/* Whether the result is to be a new fd. */
static bool makes_fd(const struct step_case *asked)
{
    const uint64_t number = asked->call.number;

    return !asked->result &&
           (number == SYS_open || number == SYS_openat || number == SYS_socket ||
            number == SYS_accept || number == SYS_dup || asked->call.args[1] == F_DUPFD_CLOEXEC);
}

static bool is_about_scratch(const struct step_case *asked)
{
    const uint64_t number = asked->call.number;

    return number == SYS_close || number == SYS_connect || number == SYS_shutdown ||
           number == SYS_write || number == SYS_getsockopt || number == SYS_sendto ||
           number == SYS_sendmsg;
}

static void fill_in(struct step_case *asked)
{
    asked->begin();
    if (is_about_file(asked))
        asked->call.args[0] = (uint64_t)file;
    if (asked->call.number == SYS_unlinkat || asked->call.number == SYS_faccessat)
        asked->call.args[0] = (uint64_t)here;
    if (is_about_scratch(asked))
        asked->call.args[0] = (uint64_t)scratch;
    if (asked->begin == make_connection && asked->call.number == SYS_dup)
        asked->call.args[0] = (uint64_t)connected;
    if (asked->call.number == SYS_recvfrom || asked->call.number == SYS_recvmsg)
        asked->call.args[0] = (uint64_t)connected;
    if (asked->call.number == SYS_accept)
        asked->call.args[0] = (uint64_t)listener;
    if (asked->call.number == SYS_fchmod)
        asked->call.args[0] = (uint64_t)copied;
    if (asked->call.number == SYS_getcwd)
        asked->result = (int64_t)strlen(getcwd(folder, sizeof folder)) + 1;
    if (asked->call.number == SYS_sendfile) {
        asked->call.args[0] = (uint64_t)copied;
        asked->call.args[1] = (uint64_t)file;
    }
    if (makes_fd(asked)) {
        asked->result = scratch = dup(file); /* the number that comes next */
        close(scratch);
    }
}

/* Make a call with a signal at the instruction with a number; returns what became of that request. */
static char step(const struct site *site, struct step_case asked, uint64_t number)
{
    static const uint64_t FLAG_SETS[] = { 0, DIRECTION | OVERFLOW, CARRY | ZERO | SIGN };
    struct step_request request = {
        .start = (uint64_t)site->back - 2 - (site->subtract ? MOVED_BYTES : 0),
        .end = (uint64_t)site->back,
        .number = number,
        .signal = SIGUSR1,
    };

    fill_in(&asked);
    fill_stack();
    handled = 0;
    prepare(&asked.call, site, FLAG_SETS[number % 3], (uint64_t)stack + 2048);
    ask_step(&request);
    current = site;
    site->call();
    current = NULL;
    char end = end_of_step(report);
    if (asked.begin == expect_thread)
        asked.result = parents_tid;
    if (handled != (end == STEP_MADE))
        complain("signals", asked.name, handled);
    if ((int64_t)after[RAX] != asked.result || !is_right(site) || !stack_is_intact())
        complain("the result", asked.name, (long long)after[RAX]);
    asked.end();
    return end;
}

/* Make the call a few times, then with a signal at each instruction. */
static void run_case(const struct site *site, const struct step_case *asked)
{
    uint64_t made = 0, last = first;
    char end;

    lseek(file, 0, SEEK_SET);
    lseek(copied, 0, SEEK_SET);
    for (; made < WARM_UP; made++)
        step(site, *asked, NO_INSTRUCTION);
    do {
        end = step(site, *asked, last);
        last += end == STEP_MADE ? every : 0;
        made++;
    } while (end != STEP_BEHIND);
    if (asked->call.number == SYS_read && asked->result == 1 &&
        lseek(file, 0, SEEK_CUR) != (off_t)made)
        complain("read twice or never", site->name, (long long)made);
    if (asked->call.number == SYS_sendfile && lseek(copied, 0, SEEK_CUR) != (off_t)made)
        complain("copied twice or never", site->name, (long long)made);
    printf("%s|%s|%llu|%llu\n", site->name, asked->name, (unsigned long long)made,
           (unsigned long long)last);
}

/*
 * The same of a call that makes a thread or process, which comes where the steps end. So there may be no breakpoint: another call
 * before it has the places forgotten to which the thread would run.
 */
static void run_birth_case(const struct step_case *asked)
{
    static const struct step_case other = { "", { "", SYS_alarm, { 0 } }, 0, nothing, nothing };
    uint64_t made = 0, last = first;
    char end;

    do {
        bool warm = made++ >= WARM_UP;
        step(&SITES[0], other, NO_INSTRUCTION);
        end = step(&THREAD_SITE, *asked, warm ? last : 0);
        last += warm && end == STEP_MADE ? every : 0;
    } while (end != STEP_BEHIND);
    printf("%s|%s|%llu|%llu\n", THREAD_SITE.name, asked->name, (unsigned long long)made,
           (unsigned long long)last);
}

int main(int argc, char **argv)
{
    static char alternate[1 << 16];
    stack_t other = { .ss_sp = alternate, .ss_size = sizeof alternate };
    struct sigaction action = { .sa_sigaction = on_signal,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };

    if (argc != 4)
        return 96;
    report = argv[1];
    first = strtoull(argv[2], NULL, 10);
    every = strtoull(argv[3], NULL, 10);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    signal(SIGRTMAX, never);
    zero = open("/dev/zero", O_RDONLY);
    file = open("read", O_RDONLY);
    here = open(".", O_RDONLY | O_DIRECTORY);
    copied = open("copied", O_WRONLY | O_CREAT, 0600);
    listen_on_loopback();
    getrlimit(RLIMIT_CORE, &core);
    for (size_t i = 0; i < sizeof SITES / sizeof *SITES; i++)
        for (size_t j = 0; j < sizeof CASES / sizeof *CASES; j++)
            run_case(&SITES[i], &CASES[j]);
    run_birth_case(&THREAD_CASE);
    run_birth_case(&PROCESS_CASE);
    fflush(stdout);
    return wrong ? 1 : 3;
}
