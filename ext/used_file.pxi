# What was done to one file, and by which processes.

from sys import intern

from libc.stdlib cimport free, realloc

cdef enum:
    FIRST_ROOM = 3  # for numbers of processes


cdef struct users:
    # Numbers of processes in the order of their first use, with repetitions if it is not compact.
    int64_t *ids
    Py_ssize_t used, room
    int64_t last  # of them


@cython.no_gc
cdef class UsedFile:
    """One file while events are read: what was done to it, and by which processes."""

    cdef users users
    cdef public int64_t opens
    cdef public bint mapped, changed, exists, folder, deleted, renamed
    cdef public int64_t read_bytes, read_ops, written_bytes, written_ops, io_us
    cdef public int64_t most_read_bytes, most_written_bytes
    cdef object last_error
    cdef public tuple errors
    cdef dict others
    cdef readonly str path
    """Its last name."""
    cdef readonly Py_ssize_t links
    """How many names it has now."""
    cdef uint32_t number

    def __init__(self, str path=""):
        self.path = path
        self.errors = ()

    def __dealloc__(self):
        free(self.users.ids)

    @property
    def names(self):
        """Its other and earlier names, a dict without values."""
        return {} if self.others is None else self.others

    @property
    def processes(self):
        """The processes that used it, the first first."""
        self.compact()
        return [self.users.ids[at] for at in range(self.users.used)]

    def facts(self, str path_class, dict pids, dict procs):
        """Return what a FileRecord says, in its order.

        Args:
            path_class: of its path.
            pids: of processes by their numbers, each as a tuple, which many files share.
            procs: their programs, likewise.
        """
        return (
            self.path, () if self.others is None else tuple(self.others), path_class, self.opens,
            self.read_bytes, self.read_ops, self.written_bytes, self.written_ops, self.io_us,
            self.mapped, self.changed, self.deleted, self.renamed, self.errors,
            self.of_processes(pids), self.of_processes(procs),
            self.most_read_bytes, self.most_written_bytes, self.folder,
        )

    cdef tuple of_processes(self, dict values):
        """Return the different values of its processes; of unknown ones none."""
        cdef Py_ssize_t at
        if self.users.used == 1:
            return values.get(self.users.last, ())
        found = {}
        for at in range(self.users.used):
            for value in values.get(self.users.ids[at], ()):
                found[value] = None
        return tuple(found)

    cpdef add_process(self, int64_t process):
        """Note a process that used it."""
        cdef users *known = &self.users
        if known.used and known.last == process:
            return  # what opens a file often closes it next
        if known.used == known.room:
            self.compact()
            if 2 * known.used >= known.room:
                self.make_room(2 * known.room or FIRST_ROOM)
        known.ids[known.used] = known.last = process
        known.used += 1

    def join_processes(self, UsedFile other):
        """Take the processes of another file, too; it has any from then on."""
        if other.users.used > self.users.used:
            self.users, other.users = other.users, self.users
        for process in other.processes:
            self.add_process(process)

    def forget_processes(self, Py_ssize_t most):
        """Keep so many processes, those that used it first."""
        self.compact()
        self.users.used = min(self.users.used, most)
        if self.users.used:
            self.users.last = self.users.ids[self.users.used - 1]

    cdef int compact(self) except -1:
        """Leave out repetitions."""
        cdef Py_ssize_t at
        kept = dict.fromkeys([self.users.ids[at] for at in range(self.users.used)])
        for at, process in enumerate(kept):
            self.users.ids[at] = self.users.last = process
        self.users.used = len(kept)
        return 0

    cdef int make_room(self, Py_ssize_t room) except -1:
        cdef void *ids = realloc(self.users.ids, room * sizeof(int64_t))
        if ids == NULL:
            raise MemoryError
        self.users.ids = <int64_t *>ids
        self.users.room = room
        return 0

    cdef void close(self, const int64_t *numbers) noexcept:
        if numbers[READ_OPS]:
            self.read_bytes += numbers[READ_BYTES]
            self.read_ops += numbers[READ_OPS]
            self.most_read_bytes = max(self.most_read_bytes, numbers[READ_BYTES])
        if numbers[WRITE_OPS]:
            self.written_bytes += numbers[WRITE_BYTES]
            self.written_ops += numbers[WRITE_OPS]
            self.most_written_bytes = max(self.most_written_bytes, numbers[WRITE_BYTES])
        self.io_us += numbers[IO_DURATION]
        if numbers[MAPPED]:
            self.mapped = True

    cdef int fail(self, text error) except -1:
        name = intern(string(error))
        if name is not self.last_error and name not in self.errors:
            self.errors += (name,)
        self.last_error = name
        return 0

    cpdef change(self):
        """Note that it was made, or its owner, mode or times were set."""
        self.changed = self.exists = True

    cdef int absorb(self, UsedFile former) except -1:
        """Add what was done to the file that had a name of this one before."""
        self.opens += former.opens
        self.read_bytes += former.read_bytes
        self.read_ops += former.read_ops
        self.written_bytes += former.written_bytes
        self.written_ops += former.written_ops
        self.io_us += former.io_us
        self.mapped |= former.mapped
        self.changed |= former.changed
        self.deleted |= former.deleted
        self.folder |= former.folder
        self.most_read_bytes = max(self.most_read_bytes, former.most_read_bytes)
        self.most_written_bytes = max(self.most_written_bytes, former.most_written_bytes)
        self.errors = tuple(dict.fromkeys(former.errors + self.errors))
        self.join_processes(former)
        self.others = joined(former.others, self.others)
        if self.others is not None:
            self.others.pop(self.path, None)
        self.gain_name(former.path)
        return 0

    cdef int gain_name(self, str name) except -1:
        """Have one more name."""
        if name != self.path:
            if self.others is None:
                self.others = {}
            self.others[name] = None
        return 0

    cdef int change_name(self, str old, str new) except -1:
        """Have another name in place of `old`, which is an earlier one from here on."""
        if self.path == old:
            self.path = new
        if self.others is not None:
            self.others.pop(new, None)
        self.gain_name(new)
        return self.gain_name(old)


cdef dict joined(dict one, dict other):
    """Return all keys. The larger one is kept: what is replaced often has many names."""
    if one is None or other is None:
        return other if one is None else one
    larger, smaller = (one, other) if len(one) >= len(other) else (other, one)
    larger.update(smaller)
    return larger
