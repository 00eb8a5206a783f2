from engine.seccomp cimport sock_filter


cdef extern from "engine/launch.h" nogil:
    int launch(const char *path, char *const *argv, char *const *envp,
               const sock_filter *filter, unsigned short length)
    void allow_tracer(int pid)
    int borrow_fd(int pid, int fd)
    void retitle(const char *title)
