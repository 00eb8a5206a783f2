/*
 * Says of each fd of its own, in the memory that it shares with the recorder, that it is a plain file whose
 * bytes are only counted. Then it reads from a socket.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gate/arena.h"

enum { READS = 400 };

/* Where the memory is; NULL: there is none. */
static uint8_t *find_arena(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned long start, found = 0;

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "SYSV") && sscanf(line, "%lx", &start) == 1 && start >= GATE_ARENA_BASE)
            found = found ? found : start;
    fclose(maps);
    return (uint8_t *)found;
}

int main(void)
{
    uint8_t *arena = find_arena();
    int ends[2];
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return 1;
    for (int i = 0; i < READS; i++) {
        uint64_t *words = (uint64_t *)(arena + ARENA_TABLES_AT);
        for (int fd = 0; arena && fd < 64; fd++)
            words[fd] = (words[fd] & ~(uint64_t)GATE_FD_STREAM) | GATE_FD_KNOWN;
        if (send(ends[1], "x", 1, 0) != 1 || read(ends[0], &byte, 1) != 1)
            return 2;
    }
    return 3;
}
