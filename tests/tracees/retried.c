/* Calls whose error asks to make them again, or is an answer: no failures. The last two are. */
#include "expect.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

static void interrupt(int number)
{
    (void)number;
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct sigaction action = { .sa_handler = interrupt }; /* without SA_RESTART */
    socklen_t size = sizeof address;
    char byte[8];

    int listener = socket(AF_INET, SOCK_STREAM, 0), closed = socket(AF_INET, SOCK_STREAM, 0);
    MUST(bind(closed, (void *)&address, size) == 0 &&
         getsockname(closed, (void *)&address, &size) == 0);
    close(closed);
    MUST(listen(listener, 1) == 0);

    MUST(sigaction(SIGALRM, &action, NULL) == 0);
    ualarm(20000, 20000);
    MUST(accept(listener, NULL, NULL) < 0 && errno == EINTR);
    MUST(read(listener, byte, 1) < 0 && errno == ENOTCONN);
    expect("'source': 'net.error', 'op': 'read', 'error': 'ENOTCONN'");
    ualarm(0, 0);
    MUST(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    MUST(accept(listener, NULL, NULL) < 0 && errno == EAGAIN);
    MUST(readlink(".", byte, sizeof byte) < 0 && errno == EINVAL);

    int client = socket(AF_INET, SOCK_STREAM, 0);
    MUST(connect(client, (void *)&address, size) < 0 && errno == ECONNREFUSED);
    expect("'source': 'net.error', 'op': 'connect', 'error': 'ECONNREFUSED'");
    MUST(readlink("absent", byte, sizeof byte) < 0);
    expect("'source': 'fs.error', 'op': 'readlink', 'file': '%s', 'error': 'ENOENT'",
           here("absent"));
    return 0;
}
