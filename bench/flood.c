/*
 * flood SECONDS: one process sends small messages to another over UDP on loopback, as fast as it can.
 * Prints how many bytes were sent and how many were received.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static long receive_all(int fd)
{
    char bytes[64];
    long received = 0;
    ssize_t got;

    while ((got = recv(fd, bytes, sizeof bytes, 0)) >= 0)
        received += got;
    return received;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    struct timeval patience = { 1, 0 };
    int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    long sent = 0;

    if (bind(receiver, (void *)&address, size) || getsockname(receiver, (void *)&address, &size) ||
        connect(sender, (void *)&address, size) ||
        setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))
        return 1;
    if (fork() == 0) {
        printf("received %ld\n", receive_all(receiver));
        exit(0);
    }
    for (double end = now() + seconds; now() < end;) {
        ssize_t done = send(sender, "sixteen bytes ok", 16, 0);
        sent += done > 0 ? done : 0;
    }
    printf("sent %ld\n", sent);
    fflush(stdout);
    wait(NULL);
    return 0;
}
