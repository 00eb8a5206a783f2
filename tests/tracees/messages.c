/*
 * Messages by sendmsg and recvmsg, so many times each, between sockets of datagrams, of a TCP connection and of a
 * pair: with addresses and without, in several buffers, with what comes beside the bytes, and such as fail.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MUST(holds) must((holds) != 0, __LINE__)
#define NOWHERE ((void *)8)

enum { BUFFERS = 20 };

static void must(int holds, int line)
{
    if (holds)
        return;
    fprintf(stderr, "messages: line %d: %s\n", line, strerror(errno));
    exit(1);
}

static char bytes[BUFFERS][8];
static struct iovec vector[BUFFERS];
static struct sockaddr_in address;
static union {
    struct cmsghdr head;
    char bytes[128];
} control;

/* A message of so many buffers of three bytes. */
static struct msghdr message(size_t buffers)
{
    for (int i = 0; i < BUFFERS; i++) {
        memcpy(bytes[i], "abc", 3);
        vector[i] = (struct iovec){ bytes[i], 3 };
    }
    return (struct msghdr){ .msg_iov = vector, .msg_iovlen = buffers };
}

static int bound(int type)
{
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, type, 0);

    address =
        (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    MUST(bind(fd, (struct sockaddr *)&address, size) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    return fd;
}

/* Send a message to `address` and receive it: with room for that many bytes of the sender's address. */
static void exchange(int from, int to, size_t buffers, size_t room)
{
    struct sockaddr_in sender;
    struct msghdr sent = message(buffers), got;
    ssize_t size = 3 * (ssize_t)buffers;

    sent.msg_name = &address;
    sent.msg_namelen = sizeof address;
    MUST(sendmsg(from, &sent, MSG_NOSIGNAL) == size);
    got = message(buffers ? buffers : 1);
    got.msg_name = room ? &sender : NULL;
    got.msg_namelen = (socklen_t)room;
    MUST(recvmsg(to, &got, 0) == size);
    MUST(!room || got.msg_namelen == sizeof sender);
}

static void exchange_datagrams(int from, int to)
{
    struct msghdr got = message(1);

    exchange(from, to, 2, 0);
    exchange(from, to, 2, sizeof address);
    exchange(from, to, 1, 4);
    exchange(from, to, 0, sizeof address);
    exchange(from, to, BUFFERS, sizeof address);
    MUST(recvmsg(to, &got, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

/* What fails, what stays in the socket, and what comes with the bytes. */
static void exchange_oddly(int from, int to)
{
    struct msghdr sent = message(1), got = message(1);
    int on = 1, off = 0;

    sent.msg_name = &address;
    sent.msg_namelen = sizeof address;
    MUST(sendmsg(from, NOWHERE, 0) < 0 && errno == EFAULT);
    MUST(recvmsg(to, NOWHERE, MSG_DONTWAIT) < 0 && errno == EFAULT);
    sent.msg_iov = NOWHERE;
    MUST(sendmsg(from, &sent, 0) < 0 && errno == EFAULT);
    sent.msg_iov = vector;
    MUST(sendmsg(from, &sent, 0) == 3 && recvmsg(to, &got, MSG_PEEK) == 3);
    got.msg_control = control.bytes;
    got.msg_controllen = sizeof control;
    MUST(recvmsg(to, &got, MSG_CMSG_CLOEXEC) == 3 && got.msg_controllen == 0);
    MUST(setsockopt(to, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0);
    got.msg_controllen = sizeof control;
    MUST(sendmsg(from, &sent, 0) == 3 && recvmsg(to, &got, 0) == 3 && got.msg_controllen);
    MUST(setsockopt(to, IPPROTO_IP, IP_PKTINFO, &off, sizeof off) == 0);
}

static void exchange_bytes(int one, int other)
{
    struct msghdr sent = message(3), got = message(3);
    struct sockaddr_storage sender;

    MUST(sendmsg(one, &sent, MSG_NOSIGNAL) == 9 && recvmsg(other, &got, MSG_WAITALL) == 9);
    got.msg_name = &sender;
    got.msg_namelen = sizeof sender;
    MUST(sendmsg(other, &sent, 0) == 9 && recvmsg(one, &got, 0) == 9 && !got.msg_namelen);
}

/* The fd of a file, which the other end receives and closes. */
static void pass_fd(int one, int other)
{
    int file = open("passed", O_RDWR | O_CREAT, 0600), got_fd;
    struct msghdr sent = message(1), got = message(1);

    control.head = (struct cmsghdr){ CMSG_LEN(sizeof file), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.head), &file, sizeof file);
    sent.msg_control = control.bytes;
    sent.msg_controllen = CMSG_SPACE(sizeof file);
    MUST(sendmsg(one, &sent, 0) == 3);
    got.msg_control = control.bytes;
    got.msg_controllen = sizeof control;
    MUST(recvmsg(other, &got, 0) == 3 && got.msg_controllen);
    memcpy(&got_fd, CMSG_DATA(&control.head), sizeof got_fd);
    MUST(write(got_fd, "x", 1) == 1 && close(got_fd) == 0 && close(file) == 0);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 10, pair[2];
    int to = bound(SOCK_DGRAM), from = socket(AF_INET, SOCK_DGRAM, 0);
    struct msghdr got = message(2);

    for (int i = 0; i < rounds; i++)
        exchange_datagrams(from, to);
    exchange_oddly(from, to);
    int listener = bound(SOCK_STREAM), client = socket(AF_INET, SOCK_STREAM, 0);
    MUST(listen(listener, 1) == 0);
    MUST(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    int server = accept(listener, NULL, NULL);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    for (int i = 0; i < rounds; i++) {
        exchange_bytes(client, server);
        exchange_bytes(pair[0], pair[1]);
        if (i % 5 == 4)
            pass_fd(pair[0], pair[1]);
    }
    MUST(shutdown(client, SHUT_WR) == 0 && recvmsg(server, &got, 0) == 0);
    MUST(close(pair[0]) == 0 && recvmsg(pair[1], &got, 0) == 0);
    puts("all right");
    return 0;
}
