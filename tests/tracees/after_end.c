/*
 * Threads and children that are made before and after the recording ends, which a line of input says: each reads a
 * file and compares the bytes. Calls that shared what the gate has of a thread would be confused.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 1024, READS = 300, THREADS = 4, ROUNDS_AFTER = 20, RIGHT = 3 };

static int file;

static void *read_often(void *unused)
{
    unsigned char bytes[64];

    for (int i = 0; i < READS; i++) {
        int size = 1 + i % 60;
        if (pread(file, bytes, (size_t)size, i) != size)
            abort();
        for (int j = 0; j < size; j++)
            if (bytes[j] != (unsigned char)(i + j))
                abort();
    }
    return unused;
}

static void make_all(void)
{
    pthread_t threads[THREADS];
    int status;

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, read_often, NULL))
            abort();
    pid_t child = fork();
    read_often(NULL);
    if (!child)
        _exit(RIGHT);
    if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != RIGHT)
        abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    unsigned char bytes[BYTES];
    struct pollfd input = { STDIN_FILENO, POLLIN, 0 };

    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)i;
    file = open("bytes", O_RDWR | O_CREAT, 0600);
    if (write(file, bytes, sizeof bytes) != sizeof bytes)
        abort();
    make_all();
    puts("begun");
    fflush(stdout);
    while (!poll(&input, 1, 0))
        make_all();
    for (int i = 0; i < ROUNDS_AFTER; i++)
        make_all();
    puts("all right");
    return 0;
}
