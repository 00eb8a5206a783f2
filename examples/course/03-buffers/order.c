#include <stdio.h>
#include <unistd.h>

int main(void)
{
    printf("first\n");
    write(1, "second\n", 7);
    printf("third\n");
    return 0;
}
