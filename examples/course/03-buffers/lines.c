#include <stdio.h>
#include <unistd.h>

int main(void)
{
    FILE *log = fopen("log.txt", "w");

    for (int i = 1; i <= 100; i++)
        fprintf(log, "line %d\n", i);
    fclose(log);

    for (int i = 1; i <= 3; i++)
        write(1, "direct\n", 7);
    for (int i = 1; i <= 3; i++)
        fprintf(stderr, "complaint\n");
    return 0;
}
