/*
 * Sockets of one program that are connected to each other, in the scenario that its argument names,
 * and the net events of that. The kernel chooses the ports, so the output of two runs differs.
 */
#include "socket_pairs.h"
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

/* Every way of sending and receiving counts; a look ahead does not. */
static void stream(void)
{
    char bytes[64];
    int pair[2], listener = listening();
    struct iovec two[2] = { { "12", 2 }, { "345", 3 } }, room = { bytes, sizeof bytes };
    struct msghdr out = { .msg_iov = two, .msg_iovlen = 2 };
    struct msghdr in = { .msg_iov = &room, .msg_iovlen = 1 };

    connected(listener, pair);
    MUST(write(pair[0], "hello", 5) == 5);
    MUST(send(pair[0], "there", 5, MSG_NOSIGNAL) == 5);
    MUST(writev(pair[0], two, 2) == 5);
    MUST(sendmsg(pair[0], &out, 0) == 5);
    usleep(20000);
    MUST(recv(pair[1], bytes, 3, MSG_PEEK) == 3);
    MUST(recv(pair[1], bytes, 5, 0) == 5);
    MUST(read(pair[1], bytes, 5) == 5);
    MUST(readv(pair[1], &room, 1) == 10);
    MUST(send(pair[1], "back", 4, 0) == 4);
    MUST(recvmsg(pair[0], &in, 0) == 4);
    MUST(shutdown(pair[0], SHUT_WR) == 0);
    MUST(read(pair[1], bytes, sizeof bytes) == 0);
    tell_close("close", pair[0], 20, 4, "local");
    closes_socket(pair[1], 4, 20, "remote");
    MUST(close(pair[0]) == 0);
}

/* Nobody sends anything, and still there was a connection. */
static void silent(void)
{
    int pair[2], listener = listening();
    connected(listener, pair);
    closes_socket(pair[0], 0, 0, "local");
    closes_socket(pair[1], 0, 0, NULL);
}

/* What goes from file to socket without passing through the program is counted. */
static void across(void)
{
    int pair[2], listener = listening(), file = open("page", O_RDWR | O_CREAT, 0644);
    char bytes[64];

    MUST(file >= 0 && write(file, "0123456789", 10) == 10);
    connected(listener, pair);
    off_t from = 2;
    MUST(sendfile(pair[1], file, &from, 6) == 6);
    MUST(read(pair[0], bytes, sizeof bytes) == 6);
    closes_socket(pair[1], 6, 0, "local");
    closes_socket(pair[0], 0, 6, NULL);
}

static void refused(void)
{
    socklen_t size;
    int probe = bound(SOCK_STREAM), port = local_end(probe).port;
    struct sockaddr_storage address = loopback(port, &size);

    MUST(close(probe) == 0);
    int fd = socket(family, SOCK_STREAM, 0);
    MUST(connect(fd, (void *)&address, size) < 0 && errno == ECONNREFUSED);
    expect(
        "'source': 'net.error', 'op': 'connect', 'class': 'connection', 'error': 'ECONNREFUSED', "
        "'net_peer_port': %d, 'net_transport': 'IP.TCP'",
        port);
}

/* Connections that are begun without waiting, and the four ways of learning how that went. */
static void hurry(void)
{
    int listener = listening(), error = -1;
    socklen_t size = sizeof error;

    int asked = hurried(listener);
    struct pollfd ready = { asked, POLLOUT, 0 };
    MUST(poll(&ready, 1, 1000) == 1);
    MUST(getsockopt(asked, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
    tell_open("connect", asked, "client");
    closes_socket(asked, 0, 0, "local");

    int used = hurried(listener);
    usleep(20000);
    MUST(write(used, "x", 1) == 1);
    tell_open("connect", used, "client");
    closes_socket(used, 1, 0, "local");

    int closed = hurried(listener);
    usleep(20000);
    tell_open("connect", closed, "client");
    closes_socket(closed, 0, 0, "local");

    struct sockaddr_storage address = loopback(local_end(listener).port, &size);
    int again = hurried(listener);
    usleep(20000);
    MUST(connect(again, (void *)&address, size) == 0 || errno == EISCONN);
    tell_open("connect", again, "client");
    closes_socket(again, 0, 0, "local");

    int probe = bound(SOCK_STREAM), port = local_end(probe).port;
    MUST(close(probe) == 0);
    address = loopback(port, &size);
    int failed = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (connect(failed, (void *)&address, size) < 0 && errno == EINPROGRESS) {
        ready = (struct pollfd){ failed, POLLOUT, 0 };
        MUST(poll(&ready, 1, 1000) == 1);
        size = sizeof error;
        MUST(getsockopt(failed, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
        MUST(error == ECONNREFUSED);
    }
    expect(
        "'source': 'net.error', 'op': 'connect', 'class': 'connection', 'error': 'ECONNREFUSED', "
        "'net_peer_port': %d",
        port);
}

static void reset(void)
{
    int pair[2], listener = listening();
    char byte;
    struct linger now = { 1, 0 };

    connected(listener, pair);
    MUST(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    struct end near = local_end(pair[1]), far = peer_end(pair[1]);
    closes_socket(pair[0], 0, 0, "local");
    MUST(read(pair[1], &byte, 1) < 0 && errno == ECONNRESET);
    expect("'source': 'net.error', 'op': 'read', 'class': 'rx_tx', 'error': 'ECONNRESET', "
           "'net_host_port': %d, 'net_peer_port': %d",
           near.port, far.port);
    expect("'source': 'net.close', 'op': 'close', 'net_close_reason': 'reset', "
           "'error': 'ECONNRESET', 'net_host_port': %d",
           near.port);
    MUST(close(pair[1]) == 0);
}

static void tell_bind(int fd)
{
    struct end end = local_end(fd);
    expect("'source': 'net.listen', 'op': 'bind', 'net_transport': 'IP.UDP', 'net_host_ip': '%s', "
           "'net_host_port': %d",
           end.ip, end.port);
}

static void tell_peer(const char *op, int near, const char *peer, int port, const char *role)
{
    expect("'source': 'net.open', 'op': '%s', 'net_transport': 'IP.UDP', 'role': '%s', "
           "'net_host_port': %d, 'net_peer_ip': '%s', 'net_peer_port': %d",
           op, role, near, peer, port);
}

static void tell_peer_close(int near, int port, long sent, long received)
{
    expect("'source': 'net.close', 'op': 'close', 'net_host_port': %d, 'net_peer_port': %d, "
           "'net_bytes_sent': %ld, 'net_bytes_recv': %ld, 'net_transport': 'IP.UDP'",
           near, port, sent, received);
}

/* One socket, two peers, three ways of sending: a flow for each peer, bytes where they belong. */
static void datagrams(void)
{
    socklen_t size;
    char bytes[64];
    int server = bound(SOCK_DGRAM), other = bound(SOCK_DGRAM);
    tell_bind(server);
    tell_bind(other);
    int client = socket(family, SOCK_DGRAM, 0);
    int there = local_end(server).port, elsewhere = local_end(other).port;
    const char *ip = family == AF_INET6 ? "::1" : "127.0.0.1";
    struct sockaddr_storage to = loopback(there, &size), also = loopback(elsewhere, &size), from;
    struct iovec three = { "abc", 3 };
    struct mmsghdr many[2] = {
        { .msg_hdr = { .msg_name = &to, .msg_namelen = size, .msg_iov = &three, .msg_iovlen = 1 } },
        { .msg_hdr = { .msg_name = &also,
                       .msg_namelen = size,
                       .msg_iov = &three,
                       .msg_iovlen = 1 } },
    };

    MUST(sendto(client, "hello", 5, 0, (void *)&to, size) == 5);
    int here = local_end(client).port;
    tell_peer("sendto", here, ip, there, "client");
    MUST(sendmsg(client, &many[0].msg_hdr, 0) == 3);
    MUST(sendmmsg(client, many, 2, 0) == 2);
    tell_peer("sendmmsg", here, ip, elsewhere, "client");

    size = sizeof from;
    MUST(recvfrom(server, bytes, sizeof bytes, 0, (void *)&from, &size) == 5);
    tell_peer("recvfrom", there, ip, here, "server");
    struct iovec rooms[2] = { { bytes, 32 }, { bytes + 32, 32 } };
    struct mmsghdr got[2] = { { .msg_hdr = { .msg_iov = &rooms[0], .msg_iovlen = 1 } },
                              { .msg_hdr = { .msg_iov = &rooms[1], .msg_iovlen = 1 } } };
    struct sockaddr_storage names[2];
    for (int i = 0; i < 2; i++) {
        got[i].msg_hdr.msg_name = &names[i];
        got[i].msg_hdr.msg_namelen = sizeof names[i];
    }
    MUST(recvmmsg(server, got, 2, 0, NULL) == 2);
    MUST(sendto(server, "back", 4, 0, (void *)&from, size) == 4);
    MUST(recv(client, bytes, 2, MSG_PEEK) == 2);
    struct sockaddr_storage name;
    size = sizeof name;
    MUST(recvfrom(client, bytes, sizeof bytes, 0, (void *)&name, &size) == 4);
    tell_peer_close(here, there, 11, 4);
    tell_peer_close(here, elsewhere, 3, 0);
    MUST(close(client) == 0);
    tell_peer_close(there, here, 4, 11);
    MUST(close(server) == 0);
}

static void tell_connected_datagrams(void)
{
    socklen_t size;
    char bytes[8];
    int server = bound(SOCK_DGRAM), client = socket(family, SOCK_DGRAM, 0);
    tell_bind(server);
    struct sockaddr_storage to = loopback(local_end(server).port, &size);
    const char *ip = family == AF_INET6 ? "::1" : "127.0.0.1";

    MUST(connect(client, (void *)&to, size) == 0);
    int here = local_end(client).port, there = local_end(server).port;
    tell_peer("connect", here, ip, there, "client");
    MUST(write(client, "abc", 3) == 3);
    MUST(send(client, "", 0, 0) == 0);
    MUST(read(server, bytes, sizeof bytes) == 3); /* without the address of the sender */
    expect("'source': 'net.open', 'op': 'read', 'role': 'server', 'net_host_port': %d", there);
    tell_peer_close(here, there, 3, 0);
    MUST(close(client) == 0);
}

static void unix_stream(const char *name)
{
    socklen_t size;
    struct sockaddr_un address = unix_name(name, &size);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    const char *path = name[0] == '@' ? name : here(name); /* where it is, not what was passed */
    char byte;

    MUST(bind(listener, (void *)&address, size) == 0 && listen(listener, 1) == 0);
    expect("'source': 'net.listen', 'op': 'listen', 'net_transport': 'Unix.TCP', "
           "'unix_local_path': '%s'",
           path);
    MUST(connect(client, (void *)&address, size) == 0);
    expect("'source': 'net.open', 'op': 'connect', 'net_transport': 'Unix.TCP', "
           "'unix_peer_path': '%s', 'unix_local_inode': %ld, 'role': 'client'",
           path, inode(client));
    int server = accept(listener, NULL, NULL);
    MUST(server >= 0);
    expect("'source': 'net.open', 'op': 'accept', 'net_transport': 'Unix.TCP', "
           "'unix_local_path': '%s', 'unix_local_inode': %ld, 'unix_peer_inode': %ld",
           path, inode(server), inode(client));
    MUST(write(client, "abc", 3) == 3);
    MUST(read(server, &byte, 1) == 1);
    expect("'source': 'net.close', 'net_bytes_sent': 3, 'net_bytes_recv': 0, "
           "'unix_local_inode': %ld",
           inode(client));
    MUST(close(client) == 0);
    expect("'source': 'net.close', 'net_bytes_sent': 0, 'net_bytes_recv': 1, "
           "'unix_local_inode': %ld",
           inode(server));
    MUST(close(server) == 0);
}

static void unix_sockets(void)
{
    char name[64];
    int pair[2];

    unix_stream("socket.here");
    snprintf(name, sizeof name, "@scopetrace-test-%d", getpid());
    unix_stream(name);
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    expect("'source': 'net.open', 'op': 'socketpair', 'net_transport': 'Unix.UDP', 'fd': %d",
           pair[0]);
    expect("'source': 'net.open', 'op': 'socketpair', 'net_transport': 'Unix.UDP', 'fd': %d",
           pair[1]);
    MUST(send(pair[0], "12345", 5, 0) == 5);
    expect("'source': 'net.close', 'op': 'close', 'net_bytes_sent': 5, 'net_bytes_recv': 0");
    MUST(close(pair[0]) == 0);
}

/* A child uses the connection that its parent accepted: each has a net.close with its own bytes. */
static void inherited(void)
{
    int pair[2], listener = listening(), status;
    char bytes[8];

    connected(listener, pair);
    MUST(write(pair[1], "12", 2) == 2);
    pid_t child = fork();
    if (child == 0) {
        if (write(pair[1], "345", 3) != 3)
            _exit(1);
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    struct end near = local_end(pair[1]);
    expect("'source': 'net.close', 'op': 'exit', 'net_bytes_sent': 3, 'net_host_port': %d, "
           "'pid': %d",
           near.port, child);
    MUST(recv(pair[0], bytes, 5, MSG_WAITALL) == 5);
    closes_socket(pair[1], 2, 0, "local");
    closes_socket(pair[0], 0, 5, NULL);
}

/* A connection is handed to a process that had nothing to do with it. */
static void passed(void)
{
    int pair[2], through[2], status;
    char bytes[8];

    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, through) == 0);
    expect("'source': 'net.open', 'op': 'socketpair', 'fd': %d", through[0]);
    expect("'source': 'net.open', 'op': 'socketpair', 'fd': %d", through[1]);
    pid_t child = fork();
    if (child == 0) {
        int fd = take(through[1]);
        _exit(fd < 0 || write(fd, "345", 3) != 3);
    }
    int listener = listening();
    connected(listener, pair);
    struct end near = local_end(pair[1]);
    hand_over(through[0], pair[1]);
    closes_socket(pair[1], 0, 0, "local");
    MUST(recv(pair[0], bytes, 3, MSG_WAITALL) == 3);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'net.close', 'op': 'exit', 'net_bytes_sent': 3, 'net_host_port': %d, "
           "'pid': %d",
           near.port, child);
    closes_socket(pair[0], 0, 3, NULL);
}

static const struct scenario SCENARIOS[] = {
    { "stream", stream },       { "silent", silent },
    { "across", across },       { "refused", refused },
    { "hurry", hurry },         { "reset", reset },
    { "datagrams", datagrams }, { "connected-datagrams", tell_connected_datagrams },
    { "unix", unix_sockets },   { "inherited", inherited },
    { "passed", passed },       { NULL, NULL },
};

int main(int argc, char **argv)
{
    return play(SCENARIOS, argc, argv);
}
