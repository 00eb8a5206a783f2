#include <fcntl.h>
#include <unistd.h>

int main(void)
{
    char bytes[4];
    int from = open("notes.txt", O_RDONLY);
    int to = open("copy.txt", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ssize_t count;

    while ((count = read(from, bytes, sizeof bytes)) > 0)
        write(to, bytes, count);
    close(from);
    close(to);

    int again = open("notes.txt", O_RDONLY);
    lseek(again, 5, SEEK_SET);
    read(again, bytes, 4);
    return open("missing.txt", O_RDONLY) < 0;
}
