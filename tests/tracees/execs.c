/* execve of a missing file, of one without permission, and of itself; close-on-exec. */
#include "expect.h"

int main(int argc, char **argv)
{
    char *arguments[] = { argv[0], "with space", "", "\xff", NULL };
    char number[16];

    if (argc > 1) {
        int kept = atoi(getenv("KEPT"));
        MUST(write(kept, "more", 4) == 4 && fcntl(kept + 1, F_GETFD) < 0);
        expect("'source': 'fs.error', 'op': 'execve', 'class': 'exec', 'error': 'ENOENT', 'file': "
               "'%s'",
               here("absent"));
        expect("'source': 'fs.error', 'op': 'execve', 'class': 'exec', 'error': 'EACCES', 'file': "
               "'%s'",
               here("kept"));
        expect_close("execve", "closed", 0, 0, 1, 1);
        expect("'source': 'proc.start', 'args': ['%s', 'with space', '', '\\udcff'], 'cwd': '%s'",
               argv[0], start);
        expect_close("close", "kept", 0, 0, 8, 2);
        close(kept);
        return 0;
    }
    int kept = open("kept", O_CREAT | O_WRONLY, 0644);
    int closed = open("closed", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    MUST(closed == kept + 1 && write(kept, "some", 4) == 4 && write(closed, "x", 1) == 1);
    snprintf(number, sizeof number, "%d", kept);
    setenv("KEPT", number, 1);

    MUST(execv("./absent", arguments) < 0);
    MUST(execv("./kept", arguments) < 0);
    execv(argv[0], arguments);
    return 97;
}
