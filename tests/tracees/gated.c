/*
 * Opens, reads, asks about and closes files many times, in the first thread and in so many others at once. One
 * question has the answer that the file is no symbolic link, another one that there is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROUNDS = 500, MOST_THREADS = 300 };

static pthread_barrier_t all_there;

static void *work(void *unused)
{
    struct stat status;
    char byte;

    pthread_barrier_wait(&all_there);
    for (int i = 0; i < ROUNDS; i++) {
        int fd = open("/etc/passwd", O_RDONLY);
        if (fd < 0 || read(fd, &byte, 1) != 1 || pread(fd, &byte, 1, 5) != 1 || close(fd) ||
            stat("/etc/group", &status) || readlink("/", &byte, 1) >= 0 || errno != EINVAL ||
            access("/absent/absent", F_OK) == 0 || errno != ENOENT)
            exit(1);
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t threads[MOST_THREADS];
    int count = argc > 1 ? atoi(argv[1]) : 0;

    pthread_barrier_init(&all_there, NULL, (unsigned)count + 1);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    work(NULL);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
