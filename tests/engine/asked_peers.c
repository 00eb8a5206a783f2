/* How often the kernel is asked which unix socket is at the other end, and whether the answers are right. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int questions;

static int make_socket(int domain, int type, int protocol)
{
    questions += domain == AF_NETLINK;
    return socket(domain, type, protocol);
}

#define socket(...) make_socket(__VA_ARGS__)
#include "call/sockets.c"

static uint64_t inode_of(int fd)
{
    struct stat found;

    return fstat(fd, &found) ? 0 : found.st_ino;
}

/* `peer`: -1, there is none. */
static void ask(const char *name, int fd, int peer)
{
    struct socket_facts facts;

    questions = 0;
    if (socket_ask(getpid(), getpid(), fd, &facts) < 0 || facts.kind.inode != inode_of(fd) ||
        facts.kind.peer_inode != (peer < 0 ? 0 : inode_of(peer)))
        abort();
    printf("%s %d\n", name, questions);
}

static void ask_pair(const int32_t pair[2])
{
    struct socket_facts facts[2];

    questions = 0;
    socket_ask_pair(getpid(), getpid(), pair, facts);
    for (int i = 0; i < 2; i++)
        if (facts[i].kind.inode != inode_of(pair[i]) ||
            facts[i].kind.peer_inode != inode_of(pair[!i]) || !facts[i].peer.size)
            abort();
    printf("pair %d\n", questions);
}

int main(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "asked" };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    int32_t pair[2];

    if (bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 1) ||
        socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
        abort();
    ask("new", client, -1);
    ask("datagrams", socket(AF_UNIX, SOCK_DGRAM, 0), -1);
    ask("listening", listener, -1);
    if (connect(client, (struct sockaddr *)&name, sizeof name))
        abort();
    int server = accept(listener, NULL, NULL);
    ask("connected", client, server);
    ask("accepted", server, client);
    ask("TCP", socket(AF_INET, SOCK_STREAM, 0), -1);
    ask("one of a pair", pair[0], pair[1]);
    ask_pair(pair);
    return 0;
}
