/* Killed while it writes a log: the lines written before are in the session. */
#include "expect.h"

int main(void)
{
    int fd = open("app.log", O_CREAT | O_WRONLY, 0644);
    for (int i = 0; i < 20; i++)
        MUST(dprintf(fd, "line %d\n", i) > 0);
    raise(SIGKILL);
}
