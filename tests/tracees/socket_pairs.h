/* Sockets of tracees: created, connected to each other and passed on, and the events of that. */
#ifndef ENDS_H
#define ENDS_H

#include "expect.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static int family = AF_INET;

struct end {
    char ip[INET6_ADDRSTRLEN];
    int port;
};

static inline struct end end_of(const struct sockaddr_storage *address)
{
    struct end end = { "", 0 };

    if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in6->sin6_addr, end.ip, sizeof end.ip);
        end.port = ntohs(in6->sin6_port);
    } else if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, end.ip, sizeof end.ip);
        end.port = ntohs(in->sin_port);
    }
    return end;
}

static inline struct sockaddr_storage loopback(int port, socklen_t *size)
{
    struct sockaddr_storage address = { .ss_family = family };

    if (family == AF_INET6) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address;
        in6->sin6_addr = in6addr_loopback;
        in6->sin6_port = htons(port);
        *size = sizeof *in6;
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&address;
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        in->sin_port = htons(port);
        *size = sizeof *in;
    }
    return address;
}

/* Asked of the kernel by calls that nobody watches: the second opinion. */
static inline struct end local_end(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    MUST(getsockname(fd, (void *)&address, &size) == 0);
    return end_of(&address);
}

static inline struct end peer_end(int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    MUST(getpeername(fd, (void *)&address, &size) == 0);
    return end_of(&address);
}

static inline int bound(int type)
{
    socklen_t size;
    int fd = socket(family, type, 0);
    struct sockaddr_storage address = loopback(0, &size);
    MUST(fd >= 0 && bind(fd, (void *)&address, size) == 0);
    return fd;
}

static inline int listening(void)
{
    int fd = bound(SOCK_STREAM);
    MUST(listen(fd, 8) == 0);
    struct end end = local_end(fd);
    expect(
        "'source': 'net.listen', 'op': 'listen', 'net_transport': 'IP.TCP', 'net_host_ip': '%s', "
        "'net_host_port': %d, 'fd': %d",
        end.ip, end.port, fd);
    return fd;
}

static inline void tell_open(const char *op, int fd, const char *role)
{
    struct end near = local_end(fd), far = peer_end(fd);
    expect("'source': 'net.open', 'op': '%s', 'fd': %d, 'role': '%s', 'net_transport': 'IP.TCP', "
           "'net_host_ip': '%s', 'net_host_port': %d, 'net_peer_ip': '%s', 'net_peer_port': %d",
           op, fd, role, near.ip, near.port, far.ip, far.port);
}

/* `reason` NULL: it depends on what may be asked of sockets. */
static inline void tell_close(const char *op, int fd, long sent, long received, const char *reason)
{
    struct end near = local_end(fd), far = peer_end(fd);
    char why[64] = "";

    if (reason)
        snprintf(why, sizeof why, "'net_close_reason': '%s', ", reason);
    expect("'source': 'net.close', 'op': '%s', 'net_bytes_sent': %ld, 'net_bytes_recv': %ld, "
           "%s'net_host_ip': '%s', 'net_host_port': %d, 'net_peer_ip': '%s', 'net_peer_port': %d",
           op, sent, received, why, near.ip, near.port, far.ip, far.port);
}

static inline void closes_socket(int fd, long sent, long received, const char *reason)
{
    tell_close("close", fd, sent, received, reason);
    MUST(close(fd) == 0);
}

/* A connection to `listener` that stands: [0] the client's end, [1] the server's. */
static inline void connected(int listener, int pair[2])
{
    socklen_t size;
    struct sockaddr_storage address = loopback(local_end(listener).port, &size);
    pair[0] = socket(family, SOCK_STREAM, 0);
    MUST(connect(pair[0], (void *)&address, size) == 0);
    tell_open("connect", pair[0], "client");
    pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    MUST(pair[1] >= 0);
    tell_open("accept4", pair[1], "server");
}

static inline int hurried(int listener)
{
    socklen_t size;
    struct sockaddr_storage address = loopback(local_end(listener).port, &size);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    MUST(connect(fd, (void *)&address, size) < 0 && errno == EINPROGRESS);
    return fd;
}

static inline struct sockaddr_un unix_name(const char *name, socklen_t *size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(name);

    memcpy(address.sun_path, name, length);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    *size = offsetof(struct sockaddr_un, sun_path) + length;
    return address;
}

/* Not by fstat(2): a socket's times are whatever was in memory (seen with Linux 6.18), mostly beyond 32 bits. */
static inline long inode(int fd)
{
    char path[32], name[64] = "";
    long number;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    MUST(readlink(path, name, sizeof name - 1) > 0 && sscanf(name, "socket:[%ld]", &number) == 1);
    return number;
}

static inline void hand_over(int through, int fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof fd)];
    } control = { .head = { .cmsg_len = CMSG_LEN(sizeof fd),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS } };
    struct iovec one = { "x", 1 };
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };

    memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
    MUST(sendmsg(through, &message, 0) == 1);
}

static inline int take(int through)
{
    int fd = -1;
    char byte, room[CMSG_SPACE(sizeof fd)];
    struct iovec one = { &byte, 1 };
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room
    };

    if (recvmsg(through, &message, 0) != 1)
        return -1;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* -- what a tracee of several scenarios is asked for -------------------------------------------- */

struct scenario {
    const char *name;
    void (*play)(void);
};

/* Play the scenario that the first argument names; any second one asks for IPv6. */
static inline int play(const struct scenario *scenarios, int argc, char **argv)
{
    if (argc > 2)
        family = AF_INET6;
    for (const struct scenario *each = scenarios; each->name; each++)
        if (argc > 1 && !strcmp(argv[1], each->name)) {
            each->play();
            return 0;
        }
    return 98;
}

#endif
