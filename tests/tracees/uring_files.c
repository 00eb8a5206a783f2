/*
 * Files used through io_uring: opened, written, read and closed, one by one and several at once; and
 * failures. With an argument, what cannot be followed; with `forked`, a child that goes on with the ring of its
 * parent, and one that does not.
 */
#include "expect.h"

#include "ring.h"

#include <linux/openat2.h>
#include <sys/uio.h>

static void files(void)
{
    struct iovec pieces[] = { { "a third ", 8 }, { "in pieces\n", 10 } };
    struct open_how how = { .flags = O_RDONLY };
    char text[64];

    ask(IORING_OP_OPENAT, AT_FDCWD, "ring.log", 0644)->open_flags = O_CREAT | O_WRONLY;
    int fd = expect_open("io_uring_enter", "ring.log", results());
    ask(IORING_OP_WRITE, fd, "a first line\n", 13);
    MUST(results() == 13);
    ask(IORING_OP_WRITE, fd, "a second line\n", 14)->off = 13;
    ask(IORING_OP_WRITEV, fd, pieces, 2)->off = 27;
    ask(IORING_OP_FSYNC, fd, NULL, 0);
    MUST(results() == 14 + 18);
    for (int i = 0; i < 3 * PLACES; i++) {
        ask(IORING_OP_WRITE, fd, "and again\n", 10)->off = 45 + 10 * i;
        MUST(results() == 10);
    }
    ask(IORING_OP_CLOSE, fd, NULL, 0);
    MUST(results() == 0);
    expect_close("io_uring_enter", "ring.log", 0, 0, 45 + 30 * PLACES, 3 + 3 * PLACES);

    ask(IORING_OP_OPENAT2, AT_FDCWD, "ring.log", sizeof how)->off = (uintptr_t)&how;
    fd = expect_open("io_uring_enter", "ring.log", results());
    ask(IORING_OP_READ, fd, text, 45);
    ask(IORING_OP_READ, fd, text, 8)->off = 1 << 20;
    MUST(results() == 45);
    close(fd);
    expect_close("close", "ring.log", 45, 2, 0, 0);
}

static void failures(void)
{
    int fd = expect_open("openat", "ring.log", openat(AT_FDCWD, "ring.log", O_RDONLY));

    ask(IORING_OP_OPENAT, AT_FDCWD, "absent", 0)->open_flags = O_RDONLY;
    MUST(results() == -ENOENT);
    errno = ENOENT;
    expect_error("open_close", "io_uring_enter", "absent");
    ask(IORING_OP_WRITE, fd, "x", 1);
    MUST(results() == -EBADF);
    expect("'source': 'fs.error', 'class': 'read_write', 'op': 'io_uring_enter', 'file': '%s',"
           " 'error': 'EBADF'",
           here("ring.log"));
    expect_close("close", "ring.log", 0, 0, 0, 0);
    close(fd);
}

/* What cannot be followed, three times each. */
static void unseen(const char *how)
{
    int fd = openat(AT_FDCWD, "ring.log", O_CREAT | O_WRONLY, 0644), none[2] = { -1, -1 };

    MUST(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, none, 2) == 0);
    for (int i = 0; i < 3; i++) {
        struct io_uring_sqe *entry = ask(IORING_OP_WRITE, fd, "x", 1);
        if (!strcmp(how, "without-result"))
            entry->flags = IOSQE_CQE_SKIP_SUCCESS;
        else if (!strcmp(how, "buffer"))
            entry->flags = IOSQE_BUFFER_SELECT;
        else if (!strcmp(how, "unknown"))
            entry->opcode = 255;
        else
            entry->opcode = IORING_OP_CLOSE, entry->fd = 0, entry->len = 0, entry->file_index = 1;
        syscall(SYS_io_uring_enter, ring, asked, 0, IORING_ENTER_GETEVENTS, NULL, 0L);
        asked = 0;
    }
}

/* A file whose fd is closed, and another one's by then, is in the table still. */
static void closed(void)
{
    int fd = openat(AT_FDCWD, "ring.log", O_CREAT | O_WRONLY, 0644);

    MUST(syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) == 0);
    close(fd);
    MUST(openat(AT_FDCWD, "other.log", O_CREAT | O_WRONLY, 0644) == fd);
    ask(IORING_OP_WRITE, 0, "x", 1)->flags = IOSQE_FIXED_FILE;
    MUST(results() == 1);
}

static void forked(void)
{
    int fd = openat(AT_FDCWD, "ring.log", O_CREAT | O_WRONLY, 0644);

    for (int uses = 0; uses < 2; uses++) {
        pid_t child = fork();
        if (!child) {
            for (int i = 0; i < 3 * uses; i++) {
                ask(IORING_OP_WRITE, fd, "x", 1);
                MUST(results() == 1);
            }
            _exit(0);
        }
        MUST(waitpid(child, NULL, 0) == child);
    }
}

int main(int count, char **arguments)
{
    set_up(0);
    if (count > 1) {
        if (!strcmp(arguments[1], "forked"))
            forked();
        else if (!strcmp(arguments[1], "closed"))
            closed();
        else
            unseen(arguments[1]);
        return 0;
    }
    files();
    failures();
    return 0;
}
