from ptrace.engine cimport pid_t
from ptrace.seccomp cimport sock_filter


cdef extern from "ptrace/launch.h" nogil:
    struct launch_ "launch":
        const char *path
        char *const *argv
        char *const *envp
        const sock_filter *filter
        unsigned short length

    enum:
        LAUNCH_UNFILTERED

    struct launcher:
        pass

    int launch(const launch_ *what)
    int launcher_create(launcher **launcher_out)
    pid_t launcher_tid(const launcher *launcher)
    int launcher_exec(launcher *launcher, const launch_ *what)
    void allow_tracer(int pid)
    void refuse_inspection()
    void retitle(const char *title)
