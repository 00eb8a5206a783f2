/* A file that is read through mmap(2). */
#include "expect.h"

int main(void)
{
    int fd = open("mapped", O_CREAT | O_RDWR, 0644);
    MUST(fd >= 0 && ftruncate(fd, 4096) == 0);
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    MUST(memory != MAP_FAILED);
    memory[0] = 'x';
    expect("'source': 'fs.close', 'file': '%s', 'file_mapped': true", here("mapped"));
    close(fd);

    fd = open("plain", O_CREAT | O_RDWR, 0644);
    MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    expect("'source': 'fs.close', 'file': '%s', 'file_write_bytes': 0", here("plain"));
    close(fd);

    fd = open("in-place", O_CREAT | O_RDWR, 0644);
    MUST(ftruncate(fd, 4096) == 0);
    void *place = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(mmap(place, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == place);
    expect("'source': 'fs.close', 'file': '%s', 'file_mapped': true", here("in-place"));
    close(fd);

    fd = open("library", O_CREAT | O_RDWR, 0644);
    MUST(ftruncate(fd, 4096) == 0);
    MUST(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, fd, 0) != MAP_FAILED);
    expect("'source': 'fs.close', 'file': '%s', 'file_mapped': true", here("library"));
    close(fd);
    return 0;
}
