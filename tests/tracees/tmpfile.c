/* A file that is created without a name (O_TMPFILE) and linked afterwards. */
#include "expect.h"

int main(void)
{
    char link[64];
    int fd = open(".", O_TMPFILE | O_WRONLY, 0644);
    MUST(fd >= 0 && write(fd, "abc", 3) == 3);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    MUST(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
    expect("'source': 'fs.link', 'op': 'linkat', 'file': '%s'", here("named"));
    close(fd);
    return 0;
}
