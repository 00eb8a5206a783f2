#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void client(struct sockaddr_in *server)
{
    char answer[64];
    int s = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(s, (struct sockaddr *)server, sizeof *server) < 0)
        perror("connect");
    write(s, "what time is it?", 16);
    ssize_t count = read(s, answer, sizeof answer);
    write(1, answer, count);
    close(s);
}

int main(int argc, char **argv)
{
    char question[64];
    struct sockaddr_in name = { .sin_family = AF_INET };
    socklen_t size = sizeof name;
    int door = socket(AF_INET, SOCK_STREAM, 0);

    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(door, (struct sockaddr *)&name, size); /* port 0: any that is free */
    getsockname(door, (struct sockaddr *)&name, &size);
    if (argc > 1) { /* bound, but nothing listens there */
        int s = socket(AF_INET, SOCK_STREAM, 0);
        return connect(s, (struct sockaddr *)&name, size) < 0;
    }
    listen(door, 1);

    if (fork() == 0) {
        client(&name);
        _exit(0);
    }
    alarm(10); /* ends this process if no caller comes */
    int guest = accept(door, NULL, NULL);
    read(guest, question, sizeof question);
    write(guest, "time for tea\n", 13);
    close(guest);
    close(door);
    wait(NULL);
    return 0;
}
