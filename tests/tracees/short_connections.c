/*
 * Sockets that are made, connected, accepted, shut down and closed, so many times each: in every way that a
 * call on them can succeed or fail, and by threads that pass them on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MUST(holds) must((holds) != 0, __LINE__)

static int rounds;

static void must(int holds, int line)
{
    if (holds)
        return;
    fprintf(stderr, "short_connections: line %d: %s\n", line, strerror(errno));
    exit(1);
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un local;
};

static socklen_t size_of(const union address *address)
{
    return address->any.sa_family == AF_INET    ? sizeof address->four
           : address->any.sa_family == AF_INET6 ? sizeof address->six
                                                : sizeof address->local;
}

/* A socket that others reach at an address of the loopback or at a name. */
static int bound(int family, int type, union address *address, const char *name)
{
    socklen_t size = sizeof *address;
    int fd = socket(family, type, 0);

    memset(address, 0, sizeof *address);
    address->any.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        address->four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (family == AF_INET6)
        address->six.sin6_addr = in6addr_loopback;
    else
        strcpy(address->local.sun_path, name);
    MUST(bind(fd, &address->any, size_of(address)) == 0);
    MUST(getsockname(fd, &address->any, &size) == 0);
    return fd;
}

static int listening(int family, union address *address)
{
    int fd = bound(family, SOCK_STREAM, address, "short.socket");

    MUST(listen(fd, 64) == 0);
    return fd;
}

static int connected(const union address *address)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    MUST(fd >= 0 && connect(fd, &address->any, size_of(address)) == 0);
    return fd;
}

/* Close an end of a connection of which the other one is closed: wait until the kernel has got its FIN. */
static void close_second(int fd)
{
    MUST(poll(&(struct pollfd){ fd, POLLRDHUP, 0 }, 1, 10000) == 1);
    MUST(close(fd) == 0);
}

/* -- one connection --------------------------------------------------------------------------- */

/* Take a connection in one of the ways to ask for the address of its peer. */
static int accepted(int listener, int round)
{
    union address peer;
    socklen_t room = round % 3 == 2 ? 6 : sizeof peer;

    return round % 3 == 0 ? accept(listener, NULL, NULL)
                          : accept4(listener, &peer.any, &room, round % 2 ? SOCK_CLOEXEC : 0);
}

static void talk(int here, int there, int round)
{
    char bytes[16];
    struct iovec room[] = { { bytes, 1 }, { bytes + 1, 15 } };

    MUST(round % 2 ? write(here, "ping\n", 5) == 5 : send(here, "ping\n", 5, 0) == 5);
    MUST(recv(there, bytes, sizeof bytes, 0) == 5);
    if (round % 4 == 3)
        return;
    MUST(writev(there, (struct iovec[]){ { "po", 2 }, { "ng\n", 3 } }, 2) == 5);
    MUST(read(here, bytes, sizeof bytes) == 5);
    MUST(shutdown(there, SHUT_WR) == 0);
    MUST((round % 3 == 0   ? read(here, bytes, sizeof bytes)
          : round % 3 == 1 ? recv(here, bytes, sizeof bytes, 0)
                           : readv(here, room, 2)) == 0);
}

/* A close that resets the connection: socket(7), SO_LINGER. */
static void reset(int fd)
{
    struct linger none = { .l_onoff = 1 };

    MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none) == 0 && close(fd) == 0);
}

static void one_connection(int listener, const union address *address, int round)
{
    int here = connected(address), there = accepted(listener, round);

    MUST(there >= 0);
    if (round % 5)
        talk(here, there, round);
    if (round % 7 == 3) {
        reset(there);
    } else {
        MUST(round % 7 != 5 || shutdown(there, SHUT_RDWR) == 0);
        MUST(close(there) == 0);
    }
    close_second(here);
}

static void connections_of(int family)
{
    union address address;
    int listener = listening(family, &address);

    for (int round = 0; round < rounds; round++)
        one_connection(listener, &address, round);
    MUST(close(listener) == 0);
}

/* -- what fails or is interrupted ------------------------------------------------------------- */

static void on_alarm(int number)
{
    (void)number;
}

static void interrupt_soon(int flags)
{
    struct sigaction action = { .sa_handler = on_alarm, .sa_flags = flags };
    struct itimerval soon = { .it_value = { .tv_usec = 20000 } };

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
}

static void failures(void)
{
    union address address, nowhere = { .four = { .sin_family = AF_INET, .sin_port = htons(1) } };
    int listener = listening(AF_INET, &address), fd = socket(AF_INET, SOCK_STREAM, 0);

    nowhere.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(socket(AF_INET, 99, 0) < 0 && socket(999, SOCK_STREAM, 0) < 0);
    MUST(shutdown(fd, SHUT_WR) < 0 && errno == ENOTCONN);
    MUST(connect(fd, &nowhere.any, sizeof nowhere.four) < 0 && errno == ECONNREFUSED);
    MUST(connect(fd, (struct sockaddr *)8, sizeof nowhere.four) < 0 && errno == EFAULT);
    MUST(connect(-1, &nowhere.any, sizeof nowhere.four) < 0 && errno == EBADF);
    MUST(accept(fd, NULL, NULL) < 0 && errno == EINVAL);
    MUST(accept(-1, NULL, NULL) < 0 && accept(0, NULL, NULL) < 0);
    MUST(close(fd) == 0 && close(fd) < 0);
    MUST(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    for (int i = 0; i < 3; i++)
        MUST(accept(listener, NULL, NULL) < 0 && errno == EAGAIN);
    MUST(fcntl(listener, F_SETFL, 0) == 0);
    interrupt_soon(0);
    MUST(accept(listener, NULL, NULL) < 0 && errno == EINTR);
    fd = connected(&address);
    MUST(accept(listener, (struct sockaddr *)8, (socklen_t *)8) < 0 && errno == EFAULT);
    close_second(fd); /* it was taken, and closed */
    MUST(close(listener) == 0);
}

/* A signal whose handler the call survives, and then a connection by another process. */
static void restarted(void)
{
    union address address;
    int listener = listening(AF_INET, &address);

    interrupt_soon(SA_RESTART);
    pid_t child = fork();
    if (!child) {
        usleep(60000);
        close(connected(&address));
        _exit(0);
    }
    int fd = accept(listener, NULL, NULL);
    MUST(fd >= 0 && close(listener) == 0);
    close_second(fd);
    MUST(waitpid(child, NULL, 0) == child);
}

/* -- connections that are begun without waiting ------------------------------------------------ */

static int begun(const union address *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    MUST(fd >= 0 && connect(fd, &address->any, sizeof address->four) < 0 && errno == EINPROGRESS);
    return fd;
}

static void wait_until_ready(int fd)
{
    MUST(poll(&(struct pollfd){ fd, POLLIN | POLLOUT, 0 }, 1, 10000) == 1);
}

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;

    MUST(getsockopt(fd, level, name, &value, &size) == 0);
    return value;
}

/* Learn in one of the ways how a connection has ended; in the last two it is known when it is closed. */
static void learn(int fd, int there, const union address *address, int round)
{
    enum { ANOTHER_4 = TCP_KEEPIDLE }; /* the number of SO_ERROR, of another level */
    char byte;

    if (round % 7 == 0)
        MUST(option_of(fd, SOL_SOCKET, SO_ERROR) == 0);
    if (round % 7 == 1)
        MUST(connect(fd, &address->any, sizeof address->four) == 0 &&
             connect(fd, &address->any, sizeof address->four) < 0 && errno == EISCONN);
    if (round % 7 == 2)
        MUST(write(fd, "late\n", 5) == 5);
    if (round % 7 == 3)
        MUST(read(fd, &byte, 1) < 0 && write(there, "1", 1) == 1 && (wait_until_ready(fd), 1) &&
             recv(fd, &byte, 1, MSG_WAITALL) == 1);
    if (round % 7 == 4)
        MUST(shutdown(fd, SHUT_WR) == 0);
    if (round % 7 == 5)
        MUST(option_of(fd, IPPROTO_TCP, ANOTHER_4) > 0);
}

static void connections_under_way(void)
{
    union address address;
    int listener = listening(AF_INET, &address);

    for (int round = 0; round < rounds; round++) {
        int fd = begun(&address);
        MUST(poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, 10000) == 1);
        int there = accepted(listener, round);
        MUST(there >= 0);
        learn(fd, there, &address, round);
        if (round % 3)
            MUST(write(fd, "more\n", 5) == (round % 7 == 4 ? -1 : 5));
        MUST(close(there) == 0);
        close_second(fd);
    }
    MUST(close(listener) == 0);
}

static void refused_later(void)
{
    union address address;
    int listener = listening(AF_INET, &address);
    char byte = 0;

    MUST(close(listener) == 0);
    for (int round = 0; round < rounds; round++) {
        int fd = begun(&address), way = round % 5;
        wait_until_ready(fd);
        MUST(way != 0 || option_of(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
        MUST(way != 1 || (connect(fd, &address.any, sizeof address.four) < 0));
        MUST(way != 2 || (write(fd, &byte, 1) < 0));
        MUST(way != 3 || (recv(fd, &byte, 1, 0) < 0));
        MUST(close(fd) == 0);
    }
}

/* A backlog that is full: a connection stays under way until there is room and the kernel tries again. */
static void long_under_way(void)
{
    union address address;
    int listener = listening(AF_INET, &address), full[2];

    MUST(listen(listener, 0) == 0);
    full[0] = connected(&address);
    int fd = begun(&address), given_up = begun(&address);
    for (int i = 0; i < 3; i++)
        MUST(connect(fd, &address.any, sizeof address.four) < 0 && errno == EALREADY);
    MUST(close(given_up) == 0);
    full[1] = accept(listener, NULL, NULL);
    MUST(poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, 10000) == 1);
    int there = accept(listener, NULL, NULL);
    MUST(full[1] >= 0 && there >= 0 && close(full[0]) == 0);
    close_second(full[1]);
    MUST(close(fd) == 0);
    close_second(there);
    MUST(close(listener) == 0);
}

/* -- other sockets ---------------------------------------------------------------------------- */

/* Datagrams of several sizes to two peers; their senders' addresses are received into room of several sizes. */
static void messages(int family)
{
    static char bytes[40000];
    union address first, second, sender;
    int here = bound(family, SOCK_DGRAM, &first, "first");
    int there = bound(family, SOCK_DGRAM, &second, "second");
    int unbound = socket(family, SOCK_DGRAM, 0);
    struct iovec parts[] = { { bytes, 1 }, { bytes + 1, 2 } };

    for (int round = 0; round < rounds; round++) {
        size_t size = round % 6 == 5 ? sizeof bytes : (size_t)round * 7;
        socklen_t room = round % 4 == 3 ? 6 : sizeof sender;
        int from = round % 5 == 4 ? unbound : here;
        MUST(sendto(from, bytes, size, MSG_NOSIGNAL, &second.any, size_of(&second)) == (int)size);
        MUST(recvfrom(there, bytes, sizeof bytes, round % 3 ? 0 : MSG_PEEK, &sender.any, &room) ==
             (int)size);
        MUST(round % 3 || recv(there, bytes, sizeof bytes, MSG_DONTWAIT) == (int)size);
        MUST(recv(there, bytes, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
        MUST(sendto(there, bytes, 3, 0, &first.any, size_of(&first)) == 3);
        MUST(readv(here, parts, 2) == 3);
    }
    MUST(connect(here, &second.any, size_of(&second)) == 0);
    for (int round = 0; round < rounds; round++) {
        MUST(round % 2 ? writev(here, parts, 2) == 3 : send(here, bytes, 3, MSG_DONTWAIT) == 3);
        MUST(read(there, bytes, 2) == 2);
    }
    MUST(close(there) == 0 && (send(here, bytes, 1, 0) < 0 || recv(here, bytes, 1, 0) < 0));
    MUST(sendto(here, bytes, 1, 0, (struct sockaddr *)8, sizeof first) < 0);
    MUST(close(here) == 0 && close(unbound) == 0);
    unlink("first");
    unlink("second");
}

static void datagrams(void)
{
    union address address = { .four = { .sin_family = AF_INET } };
    socklen_t size = sizeof address;
    int here = socket(AF_INET, SOCK_DGRAM, 0), there = socket(AF_INET, SOCK_DGRAM, 0), pair[2];
    char bytes[8];

    address.four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(bind(there, &address.any, sizeof address.four) == 0);
    MUST(getsockname(there, &address.any, &size) == 0);
    MUST(connect(here, &address.any, size) == 0 && send(here, "one", 3, 0) == 3);
    MUST(read(there, bytes, sizeof bytes) == 3 && close(here) == 0 && close(there) == 0);
    messages(AF_INET);
    messages(AF_INET6);
    messages(AF_UNIX);
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    MUST(write(pair[0], "two\n", 4) == 4 && read(pair[1], bytes, sizeof bytes) == 4);
    MUST(close(pair[0]) == 0 && read(pair[1], bytes, sizeof bytes) == 0 && close(pair[1]) == 0);
    MUST(pipe(pair) == 0);
    for (int round = 0; round < rounds; round++)
        MUST(write(pair[1], "three\n", 6) == 6 && read(pair[0], bytes, sizeof bytes) == 6);
    MUST(close(pair[0]) == 0 && close(pair[1]) == 0);
}

/* -- threads ---------------------------------------------------------------------------------- */

static int passed[2];

/* Answer on sockets that another thread has accepted, and close them. */
static void *answer(void *unused)
{
    char bytes[8];
    int fd;

    (void)unused;
    while (read(passed[0], &fd, sizeof fd) == sizeof fd && fd >= 0) {
        MUST(read(fd, bytes, sizeof bytes) == 5 && write(fd, bytes, 5) == 5);
        MUST(close(fd) == 0);
    }
    return NULL;
}

static void passed_on(void)
{
    union address address;
    int listener = listening(AF_INET, &address), end = -1;
    pthread_t thread;
    char bytes[8];

    MUST(pipe(passed) == 0 && pthread_create(&thread, NULL, answer, NULL) == 0);
    for (int round = 0; round < rounds; round++) {
        int here = connected(&address), there = accepted(listener, round);
        MUST(write(here, "pass\n", 5) == 5 && write(passed[1], &there, sizeof there) > 0);
        MUST(read(here, bytes, sizeof bytes) == 5 && read(here, bytes, sizeof bytes) == 0);
        MUST(close(here) == 0);
    }
    MUST(write(passed[1], &end, sizeof end) > 0 && pthread_join(thread, NULL) == 0);
    MUST(close(passed[0]) == 0 && close(passed[1]) == 0 && close(listener) == 0);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    rounds = argc > 1 ? atoi(argv[1]) : 42;
    connections_of(AF_INET);
    connections_of(AF_INET6);
    connections_of(AF_UNIX);
    unlink("short.socket");
    failures();
    restarted();
    connections_under_way();
    refused_later();
    long_under_way();
    datagrams();
    passed_on();
    printf("all right\n");
    return 0;
}
