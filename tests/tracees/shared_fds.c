/*
 * Threads open, read, write and close files at fds that all of them share, one thread at a time for each file:
 *
 *     shared_fds THREADS TURNS
 *
 * Prints for each file, which is opened once and closed once: its name, bytes and calls read, bytes and calls
 * written.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "random_numbers.h"

enum { PLACES = 200, FILES = 100000, THREADS = 512 };

struct counts {
    long read, reads, written, writes;
};

/* An open file, or none. */
static struct place {
    pthread_mutex_t mutex;
    int fd, file;
} places[PLACES];

static struct counts counts[FILES];
static int files, turns;

static void open_next(struct place *place)
{
    char name[32];

    place->file = __atomic_fetch_add(&files, 1, __ATOMIC_RELAXED);
    if (place->file >= FILES)
        abort();
    snprintf(name, sizeof name, "file-%d", place->file);
    place->fd = open(name, O_RDWR | O_CREAT, 0600);
}

/* By any of the calls that do so. */
static void close_one(struct place *place)
{
    int fd = place->fd, other;
    unsigned way = below(4);

    if (way == 0) {
        syscall(SYS_close_range, fd, fd, 0);
    } else if (way == 1) {
        other = open("/dev/null", O_RDONLY);
        dup2(other, fd);
        close(other);
        close(fd);
    } else {
        close(fd);
    }
    place->fd = -1;
}

static void count_read(struct place *place, long result)
{
    counts[place->file].read += result;
    counts[place->file].reads++;
}

static void count_write(struct place *place, long result)
{
    counts[place->file].written += result;
    counts[place->file].writes++;
}

static void use(struct place *place)
{
    unsigned way = below(12);
    char buffer[16];
    struct iovec vector[] = { { buffer, 3 }, { buffer + 3, 4 } };

    if (way < 2)
        close_one(place);
    else if (way < 5)
        count_write(place, write(place->fd, "hello", 5));
    else if (way < 6)
        count_write(place, pwrite(place->fd, "abc", 3, 0));
    else if (way < 7)
        count_read(place, preadv(place->fd, vector, 2, 0));
    else if (way < 8)
        lseek(place->fd, 0, SEEK_SET);
    else if (way < 10)
        count_read(place, read(place->fd, buffer, sizeof buffer));
    else
        count_read(place, pread(place->fd, buffer, 7, 0));
}

static void *work(void *number)
{
    seed((uint64_t)(uintptr_t)number);
    for (int turn = 0; turn < turns; turn++) {
        struct place *place = &places[below(PLACES)];
        pthread_mutex_lock(&place->mutex);
        if (place->fd < 0)
            open_next(place);
        else
            use(place);
        pthread_mutex_unlock(&place->mutex);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int count = argc == 3 ? atoi(argv[1]) : 0;

    if (count < 1 || count > THREADS)
        return 2;
    turns = atoi(argv[2]);
    for (int i = 0; i < PLACES; i++)
        places[i] = (struct place){ .mutex = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };
    for (intptr_t i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < files; i++)
        printf("file-%d %ld %ld %ld %ld\n", i, counts[i].read, counts[i].reads, counts[i].written,
               counts[i].writes);
    return 0;
}
