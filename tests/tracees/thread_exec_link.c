/* A thread that is not the leader execs a symbolic link: the process has the name of the link. */
#include "expect.h"
#include <pthread.h>
#include <sys/prctl.h>

static void *execute(void *program)
{
    execl("alias", program, "again", NULL);
    _exit(98);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    char name[17] = "";

    if (argc > 1) {
        MUST(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "alias") == 0);
        expect("'source': 'proc.start', 'proc': 'alias', 'args': ['%s', 'again']", argv[0]);
        return 0;
    }
    MUST(symlink(argv[0], "alias") == 0);
    MUST(pthread_create(&thread, NULL, execute, argv[0]) == 0);
    pthread_join(thread, NULL);
    return 1;
}
