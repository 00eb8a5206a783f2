/* A 64-bit program that makes 32-bit calls: other numbers, other sizes of pointers. */
#include "call32.h"
#include "expect.h"

int main(void)
{
    char *low =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    MUST(low != MAP_FAILED);

    strcpy(low, "by-int80");
    int fd = expect_open("open", low, call32(5, (long)low, O_CREAT | O_WRONLY, 0644));
    if (fd < 0)
        return 1;
    MUST(call32(4, fd, (long)low, 8) == 8);
    expect_close("close", "by-int80", 0, 0, 8, 1);
    call32(6, fd, 0, 0);

    strcpy(low, "absent");
    errno = -call32(5, (long)low, O_RDONLY, 0);
    expect_error("open_close", "open", "absent");
    return 0;
}
