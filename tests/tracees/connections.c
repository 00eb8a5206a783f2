/*
 * Connections that begin and end in the less usual ways, and sockets that change hands within one
 * process. The argument names one scenario.
 */
#include "socket_pairs.h"
#include <poll.h>
#include <pthread.h>
#include <sys/time.h>
#include <sys/uio.h>

static void give_it_time(void)
{
    usleep(20000);
}

static void tell_refused(const char *op, const char *error, int port)
{
    expect("'source': 'net.error', 'op': '%s', 'class': 'connection', 'error': '%s', "
           "'net_transport': 'IP.TCP', 'net_peer_port': %d",
           op, error, port);
}

/* The client's end of a connection to `listener` that was begun and never asked about. */
static int unasked(int listener)
{
    int fd = hurried(listener);
    give_it_time();
    tell_open("connect", fd, "client");
    return fd;
}

/* What a child does with a connection that it begins; it ends without telling. */
static void in_child(int listener, const char *op, void (*go)(void))
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        hurried(listener);
        give_it_time();
        go();
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child);
    int accepted = accept(listener, NULL, NULL);
    tell_open("accept", accepted, "server");
    int port = peer_end(accepted).port;
    expect("'source': 'net.open', 'op': 'connect', 'net_host_port': %d, 'pid': %d", port, child);
    expect("'source': 'net.close', 'op': '%s', 'net_host_port': %d, 'pid': %d", op, port, child);
    closes_socket(accepted, 0, 0, NULL);
}

static void exits(void)
{
}

static void is_killed(void)
{
    kill(getpid(), SIGKILL);
}

static void becomes_another(void)
{
    MUST(fcntl(4, F_SETFD, FD_CLOEXEC) == 0);
    execl("/bin/true", "true", NULL);
}

/* Connections that nobody asks about before their fd goes, in whatever way. */
static void unasked_ones(void)
{
    int listener = listening();

    int over = unasked(listener);
    tell_close("dup2", over, 0, 0, "local");
    MUST(dup2(STDERR_FILENO, over) == over && close(over) == 0);
    int ranged = unasked(listener);
    tell_close("close_range", ranged, 0, 0, "local");
    MUST(syscall(SYS_close_range, ranged, ranged, 0) == 0);
    for (int i = 0; i < 2; i++)
        MUST(close(accept(listener, NULL, NULL)) == 0);
    expect("'source': 'net.open', 'op': 'accept'");
    expect("'source': 'net.close', 'op': 'close'");
    expect("'source': 'net.open', 'op': 'accept'");
    expect("'source': 'net.close', 'op': 'close'");
    int shut = unasked(listener);
    char byte;
    MUST(shutdown(shut, SHUT_WR) == 0);
    tell_close("close", shut, 0, 0, "local");
    int other = accept(listener, NULL, NULL);
    tell_open("accept", other, "server");
    closes_socket(other, 0, 0, NULL);
    MUST(read(shut, &byte, 1) == 0 && close(shut) == 0);
    in_child(listener, "exit", exits);
    in_child(listener, "exit", is_killed);
    in_child(listener, "execve", becomes_another);
}

/* Who ended a connection shows even if the program does not look. */
static void hangups(void)
{
    int pair[2], listener = listening();
    char byte;
    struct linger now = { 1, 0 };

    connected(listener, pair);
    closes_socket(pair[0], 0, 0, "local");
    closes_socket(pair[1], 0, 0, "remote");

    connected(listener, pair);
    closes_socket(pair[0], 0, 0, "local");
    tell_close("close", pair[1], 0, 0, "remote");
    MUST(shutdown(pair[1], SHUT_WR) == 0 && close(pair[1]) == 0);

    connected(listener, pair);
    MUST(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    struct end near = local_end(pair[1]);
    closes_socket(pair[0], 0, 0, "local");
    expect("'source': 'net.close', 'net_close_reason': 'reset', 'net_host_port': %d, "
           "'net_peer_ip': '%s'",
           near.port, near.ip);
    MUST(close(pair[1]) == 0);

    connected(listener, pair);
    closes_socket(pair[0], 0, 0, "local");
    MUST(recv(pair[1], &byte, 1, MSG_PEEK) == 0);
    tell_close("dup2", pair[1], 0, 0, "remote");
    MUST(dup2(STDERR_FILENO, pair[1]) == pair[1] && close(pair[1]) == 0);
}

static void tell_stream(const char *source, int fd, const char *more)
{
    expect("'source': '%s', 'net_transport': 'Unix.TCP', 'unix_local_inode': %ld, %s", source,
           inode(fd), more);
}

/* The first end of a pair closes, and the other one without having read what that had sent. */
static void hang_up_unread(int sent, int unread, const char *reason)
{
    int pair[2];
    char ours[64];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    tell_stream("net.open", pair[0], "'op': 'socketpair'");
    tell_stream("net.open", pair[1], "'op': 'socketpair'");
    MUST(write(pair[0], "abc", sent) == sent && write(pair[1], "abc", unread) == unread);
    tell_stream("net.close", pair[0], "'op': 'close', 'net_close_reason': 'local'");
    snprintf(ours, sizeof ours, "'op': 'close', 'net_close_reason': '%s'", reason);
    tell_stream("net.close", pair[1], ours);
    MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
}

/*
 * A unix stream whose other end closed has been hung up (POLLHUP); it is reset (POLLERR as well) only
 * if that end had not read all (unix(7), unix_release_sock in net/unix/af_unix.c).
 */
static void unread(void)
{
    hang_up_unread(0, 0, "remote");
    hang_up_unread(3, 0, "remote");
    hang_up_unread(0, 2, "reset");
    hang_up_unread(3, 2, "reset");
}

/* To ask for nothing, and to look away, is not the end. */
static void nothing(void)
{
    int pair[2], through[2], listener = listening();
    char byte;
    struct iovec none = { &byte, 0 };
    struct msghdr message = { .msg_iov = &none, .msg_iovlen = 1 };

    MUST(pipe(through) == 0);
    connected(listener, pair);
    MUST(write(pair[1], "x", 1) == 1);
    MUST(read(pair[0], &byte, 0) == 0 && recv(pair[0], &byte, 0, 0) == 0);
    MUST(readv(pair[0], &none, 1) == 0 && recvmsg(pair[0], &message, 0) == 0);
    MUST(splice(pair[0], NULL, through[1], NULL, 0, 0) == 0);
    MUST(read(pair[0], &byte, 1) == 1);
    closes_socket(pair[0], 0, 1, "local");
    closes_socket(pair[1], 1, 0, NULL);

    connected(listener, pair);
    MUST(shutdown(pair[0], SHUT_RD) == 0 && read(pair[0], &byte, 1) == 0);
    closes_socket(pair[0], 0, 0, "local");
    closes_socket(pair[1], 0, 0, NULL);
}

/* The peer was there and is gone before it is accepted. */
static void aborted(void)
{
    int listener = listening();
    struct linger now = { 1, 0 };
    struct sockaddr_storage address;
    socklen_t size;
    char byte;

    address = loopback(local_end(listener).port, &size);
    int client = socket(family, SOCK_STREAM, 0);
    MUST(connect(client, (void *)&address, size) == 0);
    tell_open("connect", client, "client");
    int port = local_end(client).port;
    MUST(setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    closes_socket(client, 0, 0, "local");
    size = sizeof address;
    int server = accept(listener, (void *)&address, &size);
    expect("'source': 'net.open', 'op': 'accept', 'role': 'server', 'net_peer_port': %d", port);
    MUST(server >= 0 && read(server, &byte, 1) < 0 && errno == ECONNRESET);
    expect("'source': 'net.error', 'op': 'read', 'error': 'ECONNRESET', 'net_peer_port': %d", port);
    expect("'source': 'net.close', 'net_close_reason': 'reset', 'net_peer_port': %d", port);
    MUST(close(server) == 0);
}

static void on_alarm(int signal)
{
    (void)signal;
}

/* A listener whose queue is full: who comes now waits. */
static int full_up(void)
{
    int listener = bound(SOCK_STREAM);

    MUST(listen(listener, 0) == 0);
    expect("'source': 'net.listen', 'op': 'listen'");
    tell_open("connect", hurried(listener), "client");
    return listener;
}

/* Connections that go on after the call that began them, and one that never comes to be. */
static void interrupted(void)
{
    struct sigaction action = { .sa_handler = on_alarm };
    struct itimerval soon = { .it_value = { 0, 50000 } };
    socklen_t size;
    int listener = full_up(), error = -1;
    struct sockaddr_storage address = loopback(local_end(listener).port, &size);

    MUST(sigaction(SIGALRM, &action, NULL) == 0);
    int fd = socket(family, SOCK_STREAM, 0);
    MUST(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    MUST(connect(fd, (void *)&address, size) < 0 && errno == EINTR);
    int never = hurried(listener);
    tell_refused("close", "EINPROGRESS", local_end(listener).port);
    MUST(close(never) == 0);
    MUST(close(accept(listener, NULL, NULL)) == 0);
    expect("'source': 'net.open', 'op': 'accept', 'role': 'server'");
    expect("'source': 'net.close', 'op': 'close', 'net_bytes_sent': 0");
    struct pollfd ready = { fd, POLLOUT, 0 };
    MUST(poll(&ready, 1, 10000) == 1);
    size = sizeof error;
    MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
    tell_open("connect", fd, "client");
    closes_socket(fd, 0, 0, "local");
}

/* Bytes that go with the opening of a connection: tcp(7), MSG_FASTOPEN. */
static void fast(void)
{
    socklen_t size;
    int listener = listening(), port = local_end(listener).port;
    struct sockaddr_storage address = loopback(port, &size);

    int fd = socket(family, SOCK_STREAM, 0);
    MUST(sendto(fd, "hello", 5, MSG_FASTOPEN, (void *)&address, size) == 5);
    tell_open("sendto", fd, "client");
    closes_socket(fd, 5, 0, "local");
    fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (sendto(fd, "hello", 5, MSG_FASTOPEN, (void *)&address, size) < 0) {
        MUST(errno == EINPROGRESS);
        give_it_time();
        MUST(send(fd, "hello", 5, 0) == 5);
    }
    tell_open("connect", fd, "client");
    closes_socket(fd, 5, 0, "local");
    MUST(close(listener) == 0);
    fd = socket(family, SOCK_STREAM, 0);
    MUST(sendto(fd, "hello", 5, MSG_FASTOPEN, (void *)&address, size) < 0);
    tell_refused("sendto", "ECONNREFUSED", port);
}

static void dissolve(int fd)
{
    struct sockaddr nobody = { .sa_family = AF_UNSPEC };
    MUST(connect(fd, &nobody, sizeof nobody) == 0);
}

/* One socket, several connections, one after the other. */
static void again(void)
{
    socklen_t size;
    int listener = listening(), receiver = bound(SOCK_DGRAM);
    struct sockaddr_storage address = loopback(local_end(listener).port, &size);
    int fd = socket(family, SOCK_STREAM, 0), messages = socket(family, SOCK_DGRAM, 0);

    for (int i = 1; i < 3; i++) {
        MUST(connect(fd, (void *)&address, size) == 0);
        MUST(connect(fd, (void *)&address, size) < 0 && errno == EISCONN);
        tell_open("connect", fd, "client");
        MUST(write(fd, "12345", i) == i);
        tell_close("connect", fd, i, 0, "local");
        dissolve(fd);
    }
    expect("'source': 'net.listen', 'op': 'bind', 'net_transport': 'IP.UDP'");
    address = loopback(local_end(receiver).port, &size);
    for (int i = 0; i < 2; i++) {
        MUST(connect(messages, (void *)&address, size) == 0);
        MUST(send(messages, "abc", 3, 0) == 3);
    }
    expect("'source': 'net.open', 'op': 'connect', 'net_transport': 'IP.UDP'");
    expect("'source': 'net.close', 'op': 'close', 'net_bytes_sent': 6");
    MUST(close(messages) == 0);
}

/* Errors that belong to a connection, whoever asks for them. */
static void errors(void)
{
    int pair[2], listener = listening(), error = 0, gone = bound(SOCK_DGRAM);
    struct linger now = { 1, 0 };
    socklen_t size = sizeof error;
    char byte;

    connected(listener, pair);
    MUST(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    int port = local_end(pair[0]).port;
    closes_socket(pair[0], 0, 0, "local");
    MUST(getsockopt(pair[1], SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == ECONNRESET);
    expect("'source': 'net.error', 'op': 'getsockopt', 'class': 'rx_tx', 'error': 'ECONNRESET', "
           "'net_peer_port': %d",
           port);
    expect("'source': 'net.close', 'net_close_reason': 'reset', 'error': 'ECONNRESET', "
           "'net_peer_port': %d",
           port);
    MUST(close(pair[1]) == 0);

    expect("'source': 'net.listen', 'op': 'bind'");
    struct sockaddr_storage nobody = loopback(local_end(gone).port, &size);
    MUST(close(gone) == 0);
    int fd = socket(family, SOCK_DGRAM, 0);
    MUST(connect(fd, (void *)&nobody, size) == 0 && send(fd, "x", 1, 0) == 1);
    expect("'source': 'net.open', 'op': 'connect', 'net_transport': 'IP.UDP'");
    MUST(read(fd, &byte, 1) < 0 && errno == ECONNREFUSED);
    expect("'source': 'net.error', 'op': 'read', 'class': 'rx_tx', 'error': 'ECONNREFUSED'");
    expect("'source': 'net.close', 'op': 'close', 'error': 'ECONNREFUSED', 'net_bytes_sent': 1");
    MUST(close(fd) == 0);
    ((struct sockaddr_in *)&nobody)->sin_port = 0;
    fd = socket(family, SOCK_DGRAM, 0);
    MUST(sendto(fd, "x", 1, 0, (void *)&nobody, size) < 0 && errno == EINVAL);
    expect("'source': 'net.error', 'op': 'sendto', 'class': 'rx_tx', 'error': 'EINVAL', "
           "'net_peer_port': 0");
}

/* A queue of unix sockets that is full is a failure, not a wait; so is one that waits in vain. */
static void unix_queue(void)
{
    socklen_t size;
    char name[64];
    snprintf(name, sizeof name, "@scopetrace-test-%d", getpid());
    struct sockaddr_un address = unix_name(name, &size);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), server;
    int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    int other = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    char bytes[8];

    MUST(bind(listener, (void *)&address, size) == 0);
    MUST(listen(listener, 0) == 0 && listen(listener, 0) == 0);
    expect("'source': 'net.listen', 'op': 'listen', 'unix_local_path': '%s'", name);
    MUST(connect(client, (void *)&address, size) == 0);
    expect("'source': 'net.open', 'op': 'connect', 'net_transport': 'Unix.SEQPACKET', "
           "'unix_peer_path': '%s'",
           name);
    MUST(connect(other, (void *)&address, size) < 0 && errno == EAGAIN);
    expect("'source': 'net.error', 'op': 'connect', 'class': 'connection', 'error': 'EAGAIN', "
           "'unix_peer_path': '%s'",
           name);
    MUST((server = accept(listener, NULL, NULL)) >= 0);
    expect("'source': 'net.open', 'op': 'accept', 'unix_peer_inode': %ld", inode(client));
    MUST(send(client, "", 0, 0) == 0 && send(client, "abc", 3, 0) == 3);
    MUST(recv(server, bytes, 8, 0) == 0 && recv(server, bytes, 8, 0) == 3);
    expect("'source': 'net.close', 'net_close_reason': 'local', 'net_bytes_sent': 3");
    MUST(close(client) == 0 && recv(server, bytes, 8, 0) == 0);
    expect("'source': 'net.close', 'net_close_reason': 'remote', 'net_bytes_recv': 3");
    MUST(close(server) == 0);
}

/* A socket that gets one more fd in a roundabout way is the same socket. */
static void roundabout(void)
{
    int pair[2], through[2], listener = listening();
    char bytes[32];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, through) == 0);
    for (int i = 0; i < 2; i++)
        expect("'source': 'net.open', 'op': 'socketpair', 'unix_local_inode': %ld, "
               "'unix_peer_inode': %ld",
               inode(through[i]), inode(through[1 - i]));
    connected(listener, pair);
    MUST(write(pair[0], "1", 1) == 1);
    hand_over(through[0], pair[0]);
    int taken = take(through[1]);
    MUST(close(pair[0]) == 0 && write(taken, "22", 2) == 2);
    int process = syscall(SYS_pidfd_open, getpid(), 0);
    int got = syscall(SYS_pidfd_getfd, process, taken, 0);
    MUST(got >= 0 && close(taken) == 0 && write(got, "333", 3) == 3);
    MUST(recv(pair[1], bytes, 6, MSG_WAITALL) == 6);
    closes_socket(got, 6, 0, "local");
    closes_socket(pair[1], 0, 6, NULL);
    hand_over(through[0], through[0]);
    taken = take(through[1]);
    MUST(close(through[0]) == 0);
    expect("'source': 'net.close', 'op': 'close', 'net_bytes_sent': 2, 'net_bytes_recv': 0, "
           "'unix_local_inode': %ld",
           inode(taken));
    MUST(close(taken) == 0);
    expect("'source': 'net.close', 'op': 'close', 'net_bytes_sent': 0, 'net_bytes_recv': 2, "
           "'unix_local_inode': %ld",
           inode(through[1]));
    MUST(close(through[1]) == 0);
}

/* The connection belongs to who made it, not to who made the socket. */
static void of_a_child(void)
{
    socklen_t size;
    int listener = listening(), fd = socket(family, SOCK_STREAM, 0), status;
    struct sockaddr_storage address = loopback(local_end(listener).port, &size);

    pid_t child = fork();
    if (child == 0)
        _exit(connect(fd, (void *)&address, size) != 0 || close(fd) != 0);
    MUST(waitpid(child, &status, 0) == child && status == 0 && close(fd) == 0);
    int server = accept(listener, NULL, NULL);
    tell_open("accept", server, "server");
    int port = peer_end(server).port;
    expect("'source': 'net.open', 'op': 'connect', 'net_host_port': %d, 'pid': %d", port, child);
    expect("'source': 'net.close', 'op': 'close', 'net_host_port': %d, 'pid': %d", port, child);
    closes_socket(server, 0, 0, NULL);
}

static pid_t reader_tid;

static void *read_three(void *fd)
{
    char bytes[8];

    __atomic_store_n(&reader_tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
    return (void *)read(*(int *)fd, bytes, sizeof bytes);
}

/* What was read from a socket that another thread closed is not of the socket at its fd now. */
static void let_go(void)
{
    int old[2], new[2], listener = listening();
    char bytes[8];
    void *count;
    pthread_t reader;

    connected(listener, old);
    connected(listener, new);
    tell_close("dup2", old[1], 0, 0, "local");
    tell_close("close", old[0], 3, 0, NULL);
    tell_close("close", new[0], 2, 0, "local");
    tell_close("close", new[1], 0, 2, "remote");
    MUST(pthread_create(&reader, NULL, read_three, &old[1]) == 0);
    while (!__atomic_load_n(&reader_tid, __ATOMIC_ACQUIRE))
        sched_yield();
    await_sleep(reader_tid);
    MUST(dup2(new[1], old[1]) == old[1] && write(old[0], "123", 3) == 3);
    MUST(pthread_join(reader, &count) == 0 && (long)count == 3);
    MUST(close(old[0]) == 0 && write(new[0], "12", 2) == 2 && read(old[1], bytes, 8) == 2);
    MUST(close(new[0]) == 0 && read(old[1], bytes, 8) == 0);
    MUST(close(new[1]) == 0 && close(old[1]) == 0);
}

static const struct scenario SCENARIOS[] = {
    { "unasked", unasked_ones },
    { "hangups", hangups },
    { "unread", unread },
    { "nothing", nothing },
    { "aborted", aborted },
    { "interrupted", interrupted },
    { "fast", fast },
    { "again", again },
    { "errors", errors },
    { "unix-queue", unix_queue },
    { "roundabout", roundabout },
    { "of-a-child", of_a_child },
    { "let-go", let_go },
    { NULL, NULL },
};

int main(int argc, char **argv)
{
    return play(SCENARIOS, argc, argv);
}
