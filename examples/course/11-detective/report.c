#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const PLACES[] = {
    "/nowhere/report.conf",
    "conf/report.conf",
    "report.conf",
};

static int fail(void)
{
    fprintf(stderr, "report: something went wrong\n");
    return 1;
}

int main(void)
{
    char target[100];
    int conf = -1;

    for (int i = 0; i < 3 && conf < 0; i++)
        conf = open(PLACES[i], O_RDONLY);
    ssize_t length = conf < 0 ? -1 : read(conf, target, sizeof target - 1);
    if (length < 1)
        return fail();
    target[length - 1] = '\0';

    int draft = open("report.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(draft, "all is well\n", 12);
    close(draft);
    if (rename("report.tmp", target) < 0)
        return fail();
    printf("report: done\n");
    return 0;
}
