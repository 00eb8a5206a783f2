/*
 * Makes every system call whose arguments may all be the number that argv[1] says, -1 or 0: flags are
 * then all set or none, addresses cannot be read, and the only open fd among them is 0, which is a
 * file of the program's own: a call that changes a file by its fd changes nothing else. What would
 * end, stop or mute the program, or leave something behind, is left out. A message queue, semaphores
 * or shared memory with the id 0 may be another program's, where this one may not have a namespace.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 451 /* numbers are below this */

static const int never[] = {
    SYS_fork,      SYS_vfork,   SYS_exit,   SYS_exit_group,    SYS_pause,      SYS_rt_sigreturn,
    SYS_sync,      SYS_vhangup, SYS_munmap, SYS_rt_sigsuspend, SYS_msgget,
#ifdef __x86_64__
    335,           336, /* uretprobe and uprobe, which send SIGILL to who is no probe */
#endif
#ifdef __i386__
    SYS_sigreturn, SYS_ipc,     SYS_vm86,   SYS_vm86old,       SYS_sigsuspend,
#endif
};
static const int not_with_zero[] = {
    SYS_clone,       SYS_select,          SYS_pselect6,     SYS_ppoll,
    SYS_sethostname, SYS_seccomp,         SYS_close,        SYS_setdomainname,
    SYS_read,        SYS_close_range,     SYS_msgrcv,       SYS_landlock_restrict_self,
#ifdef __i386__
    SYS__newselect,  SYS_pselect6_time64, SYS_ppoll_time64,
#endif
};

static int is_in(const int *numbers, size_t count, int number)
{
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return 1;
    return 0;
}

static int left_out(int number, long value)
{
    return is_in(never, sizeof never / sizeof *never, number) ||
           (value == 0 &&
            is_in(not_with_zero, sizeof not_with_zero / sizeof *not_with_zero, number));
}

int main(int argc, char **argv)
{
    long value = argc > 1 ? atol(argv[1]) : 0;
    unshare(CLONE_NEWIPC);
    if (dup2(memfd_create("own", 0), 0) != 0)
        return 1;
    for (int number = 0; number < CALLS; number++)
        if (!left_out(number, value))
            syscall(number, value, value, value, value, value, value);
    return 0;
}
