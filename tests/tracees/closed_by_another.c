/*
 * One thread reads files that another one has opened and closes. The reader uses its places for tallies anew for the
 * next files as soon as the closes are there. Each file is read to its end, in reads of a byte.
 */
#include <pthread.h>

#include "expect.h"

enum { ROUNDS = 20, FILES = 48, BYTES = 3 };

static int fds[FILES];
static pthread_barrier_t barrier;

static void *read_files(void *unused)
{
    char byte;

    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < FILES; i++)
            while (read(fds[i], &byte, 1) == 1)
                ;
        pthread_barrier_wait(&barrier);
    }
    return unused;
}

int main(void)
{
    char name[32];
    pthread_t reader;

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "read-%d", i);
        int fd = open(name, O_CREAT | O_WRONLY, 0600);
        if (write(fd, "abc", BYTES) != BYTES || close(fd))
            return 1;
    }
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&reader, NULL, read_files, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < FILES; i++) {
            snprintf(name, sizeof name, "read-%d", i);
            fds[i] = open(name, O_RDONLY);
        }
        pthread_barrier_wait(&barrier);
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < FILES; i++)
            close(fds[i]);
    }
    pthread_join(reader, NULL);
    return 0;
}
