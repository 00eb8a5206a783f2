/* Calls of which only counts are kept: by a thread, by a process, and by both of its programs. */
#include "expect.h"
#include <pthread.h>

static void *seek(void *times)
{
    for (intptr_t i = 0; i < (intptr_t)times; i++)
        lseek(STDIN_FILENO, 0, SEEK_CUR);
    return NULL;
}

int main(int count, char **arguments)
{
    char *again[] = { arguments[0], "again", NULL };
    pthread_t thread;

    if (count > 1) {
        seek((void *)2);
        return 0;
    }
    seek((void *)5);
    MUST(pthread_create(&thread, NULL, seek, (void *)3) == 0);
    MUST(pthread_join(thread, NULL) == 0);
    pid_t child = fork();
    if (!child) {
        seek((void *)4);
        execv(arguments[0], again);
        _exit(1);
    }
    MUST(waitpid(child, NULL, 0) == child);
    return 0;
}
