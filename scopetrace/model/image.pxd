cdef class Image:
    cdef object __weakref__
    cdef public object id, pid, ppid, parent, started_ns, rules
    cdef public object proc, cmd, exe, cwd
    cdef public tuple ancestors, args, env
    cdef public object args_missing, env_missing, uid, gid, username, groupname
    cdef public dict peer_names

    cpdef inherit(self, Image image)
