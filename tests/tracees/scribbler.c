/*
 * Starts itself many times; each of these writes random bytes into the memory that it shares with the
 * recorder, wherever that is mapped, while it makes calls. What becomes of it is its own affair.
 *
 *     scribbler SEED COUNT
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_BEFORE = 40, ROUNDS = 300, SECONDS = 5 };

static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void make_calls(void)
{
    char byte;
    int fd = open("/etc/passwd", O_RDONLY);

    if (read(fd, &byte, 1) < 0 || close(fd))
        return;
}

/* Where the memory is: that which all programs share, or that of this one. NULL: there is none. */
static volatile uint8_t *find_shared(bool of_all, size_t *bytes_out)
{
    static char maps[1 << 16];
    int fd = open("/proc/self/maps", O_RDONLY);
    size_t size = 0;
    ssize_t more;

    while ((more = read(fd, maps + size, sizeof maps - 1 - size)) > 0)
        size += (size_t)more;
    close(fd);
    char *found = strstr(maps, "SYSV"); /* the locks of files are before the rest */
    if (found && !of_all)
        found = strstr(found + 1, "SYSV");
    if (!found)
        return NULL;
    while (found > maps && found[-1] != '\n')
        found--;
    unsigned long start, end;
    if (sscanf(found, "%lx-%lx", &start, &end) != 2)
        return NULL;
    *bytes_out = end - start;
    return (volatile uint8_t *)start;
}

static int scribble(void)
{
    size_t size = 0;

    alarm(SECONDS);
    for (int i = 0; i < CALLS_BEFORE; i++)
        make_calls();
    volatile uint8_t *shared = find_shared(draw() % 4 == 0, &size);
    for (int i = 0; shared && i < ROUNDS; i++) {
        /* tables and slots come first, and the first ring after them */
        size_t at = draw() % (draw() % 2 ? size / 5 : size);
        for (uint64_t n = draw() % 200; n && at < size; n--)
            shared[at++] = (uint8_t)(draw() % 4 ? draw() : 0xff);
        make_calls();
    }
    return 0;
}

int main(int argc, char **argv)
{
    char seed[32];

    if (argc != 3)
        return 2;
    state = strtoull(argv[1], NULL, 10) * 0x9e3779b97f4a7c15 + 1;
    int count = atoi(argv[2]);
    if (!count)
        return scribble();
    for (int i = 0; i < count; i++) {
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)draw() % 1000000);
        if (!fork()) {
            execl(argv[0], argv[0], seed, "0", NULL);
            _exit(3);
        }
        if (wait(NULL) < 0)
            return 1;
    }
    return 0;
}
