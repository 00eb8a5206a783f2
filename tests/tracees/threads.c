/* Many threads, each of which writes one file and ends. */
#include "expect.h"
#include <pthread.h>

static void *visit(void *number)
{
    char name[32];
    snprintf(name, sizeof name, "file-%ld", (long)number);
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    MUST(fd >= 0 && write(fd, name, 4) == 4 && close(fd) == 0 && unlink(name) == 0);
    return NULL;
}

int main(int argc, char **argv)
{
    enum { AT_ONCE = 8 };
    long count = argc > 1 ? atol(argv[1]) : 1000;
    pthread_t threads[AT_ONCE];
    char name[32];

    for (long i = 0; i < count; i += AT_ONCE) {
        for (long j = 0; j < AT_ONCE; j++)
            MUST(pthread_create(&threads[j], NULL, visit, (void *)(i + j)) == 0);
        for (long j = 0; j < AT_ONCE; j++)
            MUST(pthread_join(threads[j], NULL) == 0);
    }
    for (long i = 0; i < count; i++) {
        snprintf(name, sizeof name, "file-%ld", i);
        expect("'source': 'fs.open', 'file': '%s'", here(name));
        expect("'source': 'fs.close', 'file': '%s', 'file_write_bytes': 4", here(name));
    }
    return 0;
}
