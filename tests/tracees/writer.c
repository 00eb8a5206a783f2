/* Writes so many times so many bytes to fd 1, by write(2) and by writev(2). */
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int count = argc > 2 ? atoi(argv[1]) : 0;
    size_t size = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    char *bytes = malloc(size + 1);
    struct iovec buffers[] = { { bytes, size / 3 },
                               { bytes, 0 },
                               { bytes + size / 3, size - size / 3 } };

    for (int i = 0; i < count; i++) {
        memset(bytes, 'a' + i % 26, size);
        if (write(1, bytes, size) != (ssize_t)size || writev(1, buffers, 3) != (ssize_t)size)
            return 1;
    }
    free(bytes);
    return 0;
}
