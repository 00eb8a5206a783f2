#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Does one thing that fails, and says as much about it as many programs do. */
int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!strcmp(what, "path"))
        open("letters/2026/may.txt", O_RDONLY);
    else if (!strcmp(what, "rights"))
        execl("./tool", "tool", (char *)NULL);
    else if (!strcmp(what, "limit"))
        while (open("/dev/null", O_RDONLY) >= 0)
            ;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}
