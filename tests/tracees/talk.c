/*
 * A client and a server, each a process, exchange so many requests and answers of HTTP on one connection.
 * With a second argument each of them sends in one thread and receives in another.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int rounds;

struct side {
    int fd;
    const char *sends, *receives; /* whole messages, of which each round has one */
    sem_t may_send;
};

static void must(int holds)
{
    if (!holds)
        _exit(1);
}

static void send_one(const struct side *side, int round)
{
    size_t size = strlen(side->sends);
    struct iovec halves[] = { { (void *)side->sends, 4 }, { (void *)(side->sends + 4), size - 4 } };

    switch (round % 3) {
    case 0:
        must(write(side->fd, side->sends, size) == (ssize_t)size);
        break;
    case 1:
        must(send(side->fd, side->sends, size, MSG_NOSIGNAL) == (ssize_t)size);
        break;
    default:
        must(writev(side->fd, halves, 2) == (ssize_t)size);
    }
}

static void receive_one(const struct side *side, int round)
{
    char bytes[256];
    size_t size = strlen(side->receives), got = 0;

    while (got < size) {
        struct iovec halves[] = { { bytes + got, 1 }, { bytes + got + 1, size - got - 1 } };
        ssize_t more = round % 3 == 0   ? read(side->fd, bytes + got, size - got)
                       : round % 3 == 1 ? recv(side->fd, bytes + got, size - got, 0)
                                        : readv(side->fd, halves, size - got > 1 ? 2 : 1);
        must(more > 0);
        got += more;
    }
    must(!memcmp(bytes, side->receives, size));
}

static void *send_all(void *of)
{
    struct side *side = of;

    for (int round = 0; round < rounds; round++) {
        sem_wait(&side->may_send);
        send_one(side, round);
    }
    return side;
}

/* The server sends when it has received; the client, which has received what it sent for, sends the next. */
static void talk(struct side *side, int first, int apart)
{
    pthread_t thread;

    sem_init(&side->may_send, 0, first);
    if (apart)
        must(!pthread_create(&thread, NULL, send_all, side));
    for (int round = 0; round < rounds; round++) {
        if (first && !apart)
            send_one(side, round);
        receive_one(side, round);
        sem_post(&side->may_send);
        if (!first && !apart)
            send_one(side, round);
    }
    if (apart)
        pthread_join(thread, NULL);
    must(first || read(side->fd, (char[1]){ 0 }, 1) == 0); /* the client closes first */
    must(close(side->fd) == 0);
}

int main(int argc, char **argv)
{
    static const char REQUEST[] = "GET /page HTTP/1.1\r\nHost: here\r\n\r\n";
    static const char ANSWER[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), status;

    rounds = atoi(argv[1]);
    must(!bind(listener, (struct sockaddr *)&address, size) && !listen(listener, 1) &&
         !getsockname(listener, (struct sockaddr *)&address, &size));
    pid_t child = fork();
    if (child == 0) {
        struct side server = { .fd = accept(listener, NULL, NULL),
                               .sends = ANSWER,
                               .receives = REQUEST };
        talk(&server, 0, argc > 2);
        _exit(0);
    }
    struct side client = { .fd = socket(AF_INET, SOCK_STREAM, 0),
                           .sends = REQUEST,
                           .receives = ANSWER };
    must(!connect(client.fd, (struct sockaddr *)&address, size));
    talk(&client, 1, argc > 2);
    return waitpid(child, &status, 0) != child || status != 0;
}
