/*
 * Files to which threads write in the gate, and that a program renames that is not recorded.
 *
 * The gate writes for some 20 ms before it has the name of a file asked for again. A rename that the tracer sees
 * ends that at once for all files (gated.c), and so does one that inotify(7) reports, by a signal that wakes the
 * tracer. Nothing reports a rename of a folder that the file is in.
 *
 * Instances and watches are limited for each user, and the program may need them: a recording has one instance,
 * from when it is first needed, and watches the files that were last found to be written to.
 */
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "call/proc.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

enum { RENAME_SIGNAL = SIGIO };

static volatile sig_atomic_t has_renames; /* that were not looked at yet */

static void on_rename(int signal)
{
    (void)signal;
    has_renames = true;
}

/* Open what reports renames to the calling thread; -1: it cannot be had. */
static int open_watch(void)
{
    struct sigaction action = { .sa_handler = on_rename };
    struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = gettid() };
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    sigset_t unblocked;

    if (fd < 0)
        return -1;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, RENAME_SIGNAL);
    sigaction(RENAME_SIGNAL, &action, NULL);
    pthread_sigmask(SIG_UNBLOCK, &unblocked, NULL);
    fcntl(fd, F_SETOWN_EX, &owner);
    fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC);
    return fd;
}

void gated_watch_renames(struct gate *gate, const struct task *task, int fd)
{
    struct rename_watch *watch = &gate->renamed_elsewhere;
    struct fd_entry *entry = fd_table_find(task->caller.fds, fd);
    char link[PROC_PATH];

    if (!entry || !entry->name.hash || entry->muted || watch->fd < 0 ||
        (entry->watch && watch->count - entry->watch < RENAMES_WATCHED))
        return;
    if (!watch->count)
        watch->fd = open_watch();
    int *place = &watch->files[watch->count++ % RENAMES_WATCHED];
    if (watch->count > RENAMES_WATCHED)
        inotify_rm_watch(watch->fd, *place);
    proc_fd_path(link, task->caller.tid, fd);
    *place = inotify_add_watch(watch->fd, link, IN_MOVE_SELF);
    entry->watch = watch->count;
}

bool gated_take_renames(struct gate *gate)
{
    uint8_t events[4096];

    if (!has_renames || !gate->renamed_elsewhere.count)
        return false;
    has_renames = false;
    while (read(gate->renamed_elsewhere.fd, events, sizeof events) > 0)
        ;
    return true;
}

void gated_deinit_renames(struct gate *gate)
{
    if (gate->renamed_elsewhere.count)
        close(gate->renamed_elsewhere.fd);
}
