/* Buffers that are too short for the address of a peer: memory behind them stays as it was. */
#include "expect.h"
#include <netinet/in.h>
#include <sys/socket.h>

static void take(int fd, socklen_t room)
{
    unsigned char address[16];
    socklen_t size = room;
    char byte;

    memset(address, 0xff, sizeof address);
    MUST(sendto(fd, "x", 1, 0, NULL, 0) == 1);
    MUST(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)address, &size) == 1 && size == 16);
    MUST(room == sizeof address || address[room] == 0xff);
}

static void take_message(int fd, socklen_t room)
{
    unsigned char address[16];
    char byte;
    struct iovec buffer = { &byte, 1 };
    struct msghdr message = { address, room, &buffer, 1, NULL, 0, 0 };

    memset(address, 0xff, sizeof address);
    MUST(sendto(fd, "x", 1, 0, NULL, 0) == 1);
    MUST(recvmsg(fd, &message, 0) == 1 && message.msg_namelen == 16);
    MUST(room == sizeof address || address[room] == 0xff);
}

static void take_messages(int fd, socklen_t room)
{
    unsigned char addresses[2][16];
    char bytes[2];
    struct iovec buffers[] = { { &bytes[0], 1 }, { &bytes[1], 1 } };
    struct mmsghdr messages[] = {
        { .msg_hdr = { addresses[0], room, &buffers[0], 1, NULL, 0, 0 } },
        { .msg_hdr = { addresses[1], room, &buffers[1], 1, NULL, 0, 0 } },
    };

    memset(addresses, 0xff, sizeof addresses);
    for (int i = 0; i < 2; i++)
        MUST(sendto(fd, "x", 1, 0, NULL, 0) == 1);
    MUST(recvmmsg(fd, messages, 2, 0, NULL) == 2 && messages[1].msg_hdr.msg_namelen == 16);
    MUST(room == 16 || addresses[1][room] == 0xff);
}

int main(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof here, room = 2;
    unsigned char address[16];

    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    MUST(bind(fd, (struct sockaddr *)&here, size) == 0);
    MUST(getsockname(fd, (struct sockaddr *)&here, &size) == 0);
    MUST(connect(fd, (struct sockaddr *)&here, size) == 0);
    take(fd, 0);
    take(fd, 4);
    take(fd, 16);
    take_message(fd, 0);
    take_message(fd, 4);
    take_message(fd, 16);
    take_messages(fd, 0);
    take_messages(fd, 4);
    take_messages(fd, 16);

    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    memset(address, 0xff, sizeof address);
    MUST(listen(listener, 1) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&here, &size) == 0);
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    MUST(connect(client, (struct sockaddr *)&here, size) == 0);
    MUST(accept(listener, (struct sockaddr *)address, &room) >= 0 && address[2] == 0xff);
    return 0;
}
