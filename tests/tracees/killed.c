/* Killed in the middle of a log: what was written up to then is there. */
#include "tell.h"

int main(void)
{
    int fd = open("app.log", O_CREAT | O_WRONLY, 0644);
    for (int i = 0; i < 20; i++)
        MUST(dprintf(fd, "line %d\n", i) > 0);
    raise(SIGKILL);
}
