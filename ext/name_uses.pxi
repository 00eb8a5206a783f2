# Which events name which paths, noted while they are added up.

from libc.stdint cimport UINT32_MAX, uint32_t
from libc.stdlib cimport calloc, free, realloc

cdef struct use:
    uint32_t event  # its id
    uint32_t path
    uint32_t next  # use of the path, plus one; 0: this is the last
    bint is_file  # the path is the field `file`

cdef enum:
    FIRST_USES = 4096
    MOST_USES = 6_000_000  # 16 bytes each


cdef class _Uses:
    """Which events name which paths, in the order of recording."""

    cdef use *uses
    cdef size_t count, room
    cdef uint32_t last_path
    cdef uint32_t *firsts
    """Of each path its first use, plus one; 0: it has none."""
    cdef int64_t without
    """Events without a file."""
    cdef bint is_whole

    def __cinit__(self):
        self.is_whole = True

    def __dealloc__(self):
        free(self.uses)
        free(self.firsts)

    cdef int add(self, int64_t event, uint32_t path, bint is_file) except -1:
        cdef size_t room = 2 * self.room or FIRST_USES
        cdef void *uses
        if self.count == MOST_USES or event > UINT32_MAX:
            self.is_whole = False
        if not self.is_whole:
            return 0
        if self.count == self.room:
            uses = realloc(self.uses, room * sizeof(use))
            if uses == NULL:
                raise MemoryError
            self.uses, self.room = <use *>uses, room
        self.uses[self.count] = use(<uint32_t>event, path, 0, is_file)
        self.count += 1
        self.last_path = max(self.last_path, path)
        return 0

    cdef int join(self) except -1:
        """Find the uses of each path."""
        cdef size_t at = self.count
        free(self.firsts)
        self.firsts = <uint32_t *>calloc(self.last_path + 1, sizeof(uint32_t))
        if self.firsts == NULL:
            raise MemoryError
        while at:
            at -= 1
            self.uses[at].next = self.firsts[self.uses[at].path]
            self.firsts[self.uses[at].path] = at + 1
        return 0

    cdef tuple of(self, uint32_t path):
        """Return how many events have a path as `file`, and the ids of all that name it.

        Each id but the first is what it is more than the one before.
        """
        cdef int64_t last = 0, files = 0
        cdef list steps = []
        cdef use used
        cdef uint32_t first = self.firsts[path]
        while first:
            used = self.uses[first - 1]
            files += used.is_file
            steps.append(used.event - last)
            last, first = used.event, used.next
        return files, steps
