#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    char *small[1000];

    getppid(); /* a mark in the list of calls */
    for (int i = 0; i < 1000; i++)
        small[i] = malloc(100);
    getpgrp(); /* a second mark */
    char *big = malloc(10 * 1024 * 1024);
    big[0] = 1;
    free(big);
    getsid(0); /* a third mark */
    for (int i = 0; i < 1000; i++)
        free(small[i]);
    return 0;
}
