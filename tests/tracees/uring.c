/* Sets up an io_uring whose submissions a kernel thread takes without a system call (SQPOLL). */
#include "expect.h"
#include <linux/io_uring.h>

int main(void)
{
    struct io_uring_params parameters = { .flags = IORING_SETUP_SQPOLL };
    long fd = syscall(SYS_io_uring_setup, 4, &parameters);
    print_line("io_uring %s", fd >= 0 ? "works" : strerror(errno));
    return 0;
}
