/* Sixty threads, one after the other, each of which reads a file. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS = 60, READS = 20 };

static void *read_file(void *file)
{
    char byte;

    for (int i = 0; i < READS; i++)
        if (pread(*(int *)file, &byte, 1, i) != 1)
            abort();
    return NULL;
}

int main(void)
{
    int file = open("/proc/self/exe", O_RDONLY);
    pthread_t thread;

    read_file(&file);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread, NULL, read_file, &file) || pthread_join(thread, NULL))
            abort();
    printf("all right\n");
    return 0;
}
