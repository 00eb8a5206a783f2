/*
 * Threads and processes write numbered lines to fd 1, each in turns of its own: some lines alone, then some
 * at the same time as all others.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 400, WRITERS = 3 };

static void write_line(char name, int number)
{
    char line[64];
    int size = snprintf(line, sizeof line, "%c%d\n", name, number);
    struct iovec halves[] = { { line, 1 }, { line + 1, size - 1 } };
    ssize_t written = number % 3 ? write(1, line, size) : writev(1, halves, 2);

    if (written != size)
        _exit(1);
}

static void *write_lines(void *name)
{
    for (int number = 0; number < LINES; number++) {
        write_line(*(char *)name, number);
        if (number % 50 == 0)
            sched_yield();
    }
    return name;
}

static void write_by_threads(char first)
{
    char names[WRITERS];
    pthread_t threads[WRITERS];

    for (int i = 0; i < WRITERS; i++)
        names[i] = first + i;
    for (int i = 1; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, write_lines, &names[i]);
    write_lines(&names[0]);
    for (int i = 1; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    write_lines("-");
    pid_t child = fork();
    write_by_threads(child ? 'a' : 'p');
    if (child == 0)
        _exit(0);
    int status;
    return waitpid(child, &status, 0) != child || status != 0;
}
