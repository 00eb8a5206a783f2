/* Threads that mostly wait: one makes all calls for a while, then another one its first. */
#include "expect.h"
#include <pthread.h>

enum { THREADS = 100, CALLS = 60 };

static int turn[2], done[2];

static void visit(int number)
{
    char name[32];

    snprintf(name, sizeof name, "folder-%d", number);
    MUST(mkdir(name, 0755) == 0 && rmdir(name) == 0);
    expect("'source': 'fs.mkdir', 'file': '%s'", here(name));
    expect("'source': 'fs.delete', 'file': '%s'", here(name));
}

/* The kernel gives the byte to one of those that wait. */
static void *wait_for_turn(void *unused)
{
    int number;

    MUST(read(turn[0], &number, sizeof number) == sizeof number);
    visit(number);
    MUST(write(done[1], "d", 1) == 1);
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    char byte;

    MUST(pipe(turn) == 0 && pipe(done) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, wait_for_turn, NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        for (int j = 0; i % 10 == 0 && j < CALLS; j++)
            visit(1000 + i * CALLS + j);
        MUST(write(turn[1], &i, sizeof i) == sizeof i && read(done[0], &byte, 1) == 1);
    }
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(threads[i], NULL) == 0);
    return 0;
}
