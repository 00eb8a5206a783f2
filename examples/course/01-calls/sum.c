#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    const char *word = "kernel";
    char line[80];
    int sum = 0;

    for (int i = 1; i <= 1000; i++)
        sum += i;
    int length = snprintf(line, sizeof line,
                          "%s has %zu letters, the sum is %d\n",
                          word, strlen(word), sum);
    write(1, line, length);
    getppid();
    getppid();
    getppid();
    return 0;
}
