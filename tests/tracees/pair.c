/* Sends so many bytes, one by one, into one end of a socket pair and receives each at the other end. */
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0, ends[2];
    char byte = 'x';

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return 1;
    for (int i = 0; i < count; i++)
        if (send(ends[0], &byte, 1, 0) != 1 || recv(ends[1], &byte, 1, 0) != 1)
            return 2;
    return 0;
}
