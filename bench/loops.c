/* One kind of call, many times, beside idle threads: loops KIND COUNT [THREADS]. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STACK_BYTES = 64 << 10 };

static void *sleep_on(void *unused)
{
    pause();
    return unused;
}

static void start_threads(int count)
{
    pthread_attr_t small;
    pthread_t thread;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    while (count-- > 0)
        if (pthread_create(&thread, &small, sleep_on, NULL))
            abort();
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[1] : "";
    long count = argc > 2 ? atol(argv[2]) : 0;
    char byte;

    start_threads(argc > 3 ? atoi(argv[3]) : 0);
    if (!strcmp(kind, "read")) {
        int fd = open("/dev/zero", O_RDONLY);
        while (count-- && read(fd, &byte, 1) == 1)
            ;
    } else if (!strcmp(kind, "open")) {
        while (count--)
            close(open("/etc/passwd", O_RDONLY));
    } else if (!strcmp(kind, "write")) {
        int fd = open("written.txt", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        while (count-- && write(fd, "x", 1) == 1)
            ;
    } else if (!strcmp(kind, "log")) {
        char line[64];
        int fd = open("written.log", O_WRONLY | O_CREAT | O_TRUNC, 0644);
        memset(line, 'x', sizeof line - 1);
        line[sizeof line - 1] = '\n';
        while (count-- && write(fd, line, sizeof line) == sizeof line)
            ;
    } else if (!strcmp(kind, "fork")) {
        while (count--) {
            if (!fork())
                _exit(0);
            wait(NULL);
        }
    } else if (!strcmp(kind, "exec")) {
        char *nothing[] = { argv[0], "getppid", "0", NULL };
        while (count--) {
            if (!fork())
                execv(argv[0], nothing);
            wait(NULL);
        }
    } else if (!strcmp(kind, "keep")) {
        struct rlimit limit;
        getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        while (count-- && open("/etc/passwd", O_RDONLY) >= 0)
            ;
        sleep(1);
    } else if (!strcmp(kind, "getppid")) {
        while (count--)
            syscall(SYS_getppid);
    } else {
        fprintf(stderr,
                "usage: loops read|open|write|log|fork|exec|keep|getppid COUNT [THREADS]\n");
        return 2;
    }
    return 0;
}
