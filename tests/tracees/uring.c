/* Sets up io_uring, through which files can be used without system calls. */
#include "tell.h"
#include <linux/io_uring.h>

int main(void)
{
    struct io_uring_params parameters = { 0 };
    long fd = syscall(SYS_io_uring_setup, 4, &parameters);
    say("io_uring %s", fd >= 0 ? "works" : strerror(errno));
    return 0;
}
