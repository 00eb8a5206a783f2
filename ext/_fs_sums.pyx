# cython: language_level=3, binding=False
"""Adds up the fs events of a session for each file, without an object for each event.

The JSON of an event is read in place, and only as far as it is plain: a name with an escaped
character or a number with a fraction is left to `json.loads`. Which file a name belongs to is
decided in Python (`scopetrace.query.file_names`).
"""

import json
from sys import intern

include "taker.pxi"

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memset, strlen, strncmp

cdef extern from "string.h" nogil:
    void *memmem(const void *text, size_t size, const void *part, size_t part_size)

cdef enum:
    FILE, FLAGS, ERROR, TEXTS
cdef enum:
    READ_BYTES, READ_OPS, WRITE_BYTES, WRITE_OPS, IO_DURATION, MAPPED, CREATED, NUMBERS
cdef enum:
    MOST_DIGITS = 18  # that an int64_t holds whatever they are
    FIRST_ROOM = 4

NAMES = (
    b"file", b"flags", b"error",
    b"file_read_bytes", b"file_read_ops", b"file_write_bytes", b"file_write_ops", b"io_duration",
    b"file_mapped", b"file_created",
)

cdef struct text:
    const char *start
    Py_ssize_t size

cdef struct fields:
    text texts[TEXTS]
    int64_t numbers[NUMBERS]

cdef text names[TEXTS + NUMBERS]
cdef int at
for at in range(TEXTS + NUMBERS):
    names[at] = text(PyBytes_AsString(NAMES[at]), len(NAMES[at]))


cdef struct users:
    # Numbers of processes in the order of their first use, with repetitions if it is not compact.
    int64_t *ids
    Py_ssize_t used, room


cdef class FileSums:
    """What was done to one file: counts, bytes, microseconds; and by which processes.

    A million events are of 100,000 files, so a file takes few bytes, near to one another: most of
    the time is spent waiting for memory.
    """

    cdef users users
    cdef object last_error
    cdef public int64_t opens
    cdef public bint mapped, changed, exists, folder
    cdef public int64_t read_bytes, read_ops, written_bytes, written_ops, io_us
    cdef public int64_t most_read_bytes, most_written_bytes
    cdef public tuple errors

    def __cinit__(self, *args):
        self.errors = ()

    def __dealloc__(self):
        free(self.users.ids)

    @property
    def processes(self):
        """The processes that used it, the first first."""
        self.compact()
        return [self.users.ids[at] for at in range(self.users.used)]

    def of_processes(self, dict values):
        """Return the different values of its processes, a tuple; of unknown ones none."""
        cdef Py_ssize_t at
        found = {}
        for at in range(self.users.used):
            value = values.get(self.users.ids[at])
            if value is not None:
                found[value] = None
        return tuple(found)

    cpdef add_process(self, int64_t process):
        """Note a process that used it."""
        cdef users *known = &self.users
        if known.used and known.ids[known.used - 1] == process:
            return  # what opens a file often closes it next
        if known.used == known.room:
            self.compact()
            if 2 * known.used >= known.room:
                self.make_room(2 * known.room or FIRST_ROOM)
        known.ids[known.used] = process
        known.used += 1

    def join_processes(self, FileSums other):
        """Take the processes of another file, too; it has any from then on."""
        if other.users.used > self.users.used:
            self.users, other.users = other.users, self.users
        for process in other.processes:
            self.add_process(process)

    def forget_processes(self, Py_ssize_t most):
        """Keep so many processes, those that used it first."""
        self.compact()
        self.users.used = min(self.users.used, most)

    cdef int compact(self) except -1:
        """Leave out repetitions."""
        cdef Py_ssize_t at
        kept = dict.fromkeys([self.users.ids[at] for at in range(self.users.used)])
        for at, process in enumerate(kept):
            self.users.ids[at] = process
        self.users.used = len(kept)
        return 0

    cdef int make_room(self, Py_ssize_t room) except -1:
        cdef void *ids = realloc(self.users.ids, room * sizeof(int64_t))
        if ids == NULL:
            raise MemoryError
        self.users.ids = <int64_t *>ids
        self.users.room = room
        return 0

    cdef void open(self, text flags, bint created) noexcept:
        self.opens += 1
        self.exists = True
        if created:
            self.changed = True
        if (has(flags, b"O_EXCL") and has(flags, b"O_CREAT")) or has(flags, b"O_TRUNC"):
            self.changed = True
        if has(flags, b"O_TMPFILE"):
            self.changed = True
        if has(flags, b"O_DIRECTORY"):
            self.folder = True

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


def add_events(list rows, dict files, make, rest):
    """Add events to the sums of their files, in the order of recording.

    Args:
        rows: source, process and data (JSON) of each; the first and last are bytes.
        files: the `FileSums` by the name that each has now.
        make: called with a name that is not in `files`, returns its `FileSums`.
        rest: called with a row whose event is no open, close, failure, mkdir or change of
            attributes: it may change names, and `files`.
    """
    cdef _Sums sums = _Sums(files, make, rest, None)
    cdef tuple row
    for row in rows:
        sums.add(PyBytes_AsString(row[0]), row[1], PyBytes_AsString(row[2]))


def add_selected(db, str path, str sql, dict files, make, rest, is_enough):
    """Add events as `add_events` does, read from a connection; return whether all were.

    Args:
        db: the connection.
        path: of the file of this module.
        sql: SELECT count(add_event(?1, source, process, data)) FROM...
        files, make, rest: as those of `add_events`.
        is_enough: called now and then; reading ends if it returns true.
    """
    cdef _Sums sums = _Sums(files, make, rest, is_enough)
    return sums.read(db, path, b"add_event", sql, ())


cdef class _Sums(_Taker):
    """Adds events to the sums of their files."""

    cdef dict files
    cdef object make, rest, is_enough
    cdef FileSums file
    """Of the event before, whose name is `name`; None: that is to be found."""
    cdef char *name
    cdef Py_ssize_t size, room

    def __init__(self, dict files, make, rest, is_enough):
        self.files, self.make, self.rest, self.is_enough = files, make, rest, is_enough
        self.columns = 3

    def __dealloc__(self):
        free(self.name)

    cdef bint take(self, sqlite3_value **values) except -1:
        cdef const char *source = value_text(self.routines, values[0])
        cdef const char *data = value_text(self.routines, values[2])
        if source == NULL or data == NULL:
            raise MemoryError
        self.add(source, value_int64(self.routines, values[1]), data)
        return False

    cdef bint pause(self) except -1:
        _Taker.pause(self)
        return self.is_enough()

    cdef int add(self, const char *source, int64_t process, const char *data) except -1:
        cdef fields found
        cdef list kept = None
        if not is_counted(source):
            self.rest((<bytes>source, process, <bytes>data))
            self.file = None
            return 0
        if not scan(data, &found):
            kept = decode(data, &found)
        if found.texts[FILE].size == 0:
            return 0
        if self.file is None or not same(text(self.name, self.size), found.texts[FILE]):
            self.find(found.texts[FILE])
        self.file.add_process(process)
        return count(self.file, source, &found)

    cdef int find(self, text name) except -1:
        """Find the file of a name, and keep the name: that of the next event is often the same."""
        cdef char *grown
        self.file = None
        if name.size > self.room:
            grown = <char *>realloc(self.name, 2 * name.size)
            if grown == NULL:
                raise MemoryError
            self.name, self.room = grown, 2 * name.size
        memcpy(self.name, name.start, name.size)
        self.size = name.size
        decoded = string(name)
        file = self.files.get(decoded)
        self.file = self.make(decoded) if file is None else file
        return 0


cdef inline bint same(text one, text other) noexcept nogil:
    return one.size == other.size and not memcmp(one.start, other.start, one.size)


cdef bint is_counted(const char *source) noexcept nogil:
    return (
        is_source(source, b"fs.open") or is_source(source, b"fs.close")
        or is_source(source, b"fs.error") or is_source(source, b"fs.mkdir")
        or is_source(source, b"fs.attr")
    )


cdef inline bint is_source(const char *source, const char *name) noexcept nogil:
    return strncmp(source, name, 9) == 0


cdef int count(FileSums file, const char *source, const fields *found) except -1:
    if is_source(source, b"fs.open"):
        file.open(found.texts[FLAGS], found.numbers[CREATED] != 0)
    elif is_source(source, b"fs.close"):
        file.close(found.numbers)
    elif is_source(source, b"fs.error"):
        file.fail(found.texts[ERROR])
    else:
        file.change()
    return 0


cdef inline string(text found):
    return PyUnicode_DecodeUTF8(found.start, found.size, "surrogatepass")


cdef inline bint has(text found, const char *part) noexcept nogil:
    return memmem(found.start, found.size, part, strlen(part)) != NULL


cdef list decode(bytes data, fields *found):
    """Find the fields in any JSON; return what must be kept as long as they are used."""
    values = json.loads(data)
    kept = []
    for at in range(TEXTS):
        value = str(values.get(NAMES[at].decode()) or "").encode("utf-8", "surrogatepass")
        kept.append(value)
        found.texts[at] = text(PyBytes_AsString(value), len(value))
    for at in range(NUMBERS):
        found.numbers[at] = int(values.get(NAMES[TEXTS + at].decode()) or 0)
    return kept


cdef bint scan(const char *at, fields *found) noexcept nogil:
    """Find the fields in a JSON object; False: it is not plain. The text ends with a NUL."""
    cdef const char *name
    cdef const char *end
    memset(found, 0, sizeof(fields))
    if at[0] != c"{":
        return False
    while at[0] == c"{" or at[0] == c",":
        name = at + 2
        end = string_end(at + 1)
        if end == NULL or end[1] != c":":
            return False
        at = take(text(name, end - name), end + 2, found)
        if at == NULL:
            return False
    return at[0] == c"}" and at[1] == 0


cdef const char *take(text name, const char *at, fields *found) noexcept nogil:
    """Take the value of a name; return its end, NULL: it is not plain."""
    cdef int which = index_of(name)
    if which == TEXTS + NUMBERS:
        return value_end(at)
    if which < TEXTS:
        found.texts[which].start = at + 1
        at = string_end(at)
        if at == NULL:
            return NULL
        found.texts[which].size = at - found.texts[which].start
        return at + 1
    return number_end(at, &found.numbers[which - TEXTS])


cdef int index_of(text name) noexcept nogil:
    """Return the position of a name in `names`, or how many there are."""
    cdef int at
    for at in range(TEXTS + NUMBERS):
        if same(names[at], name):
            return at
    return TEXTS + NUMBERS


cdef const char *string_end(const char *at) noexcept nogil:
    """Return the closing quote of a string; NULL: it is none, or has escaped characters."""
    if at[0] != c'"':
        return NULL
    at += 1
    while at[0] != c'"' and at[0] != c"\\" and at[0] != 0:
        at += 1
    return at if at[0] == c'"' else NULL


cdef const char *number_end(const char *at, int64_t *number) noexcept nogil:
    """Read a number or a truth value; return its end, NULL: it is no integer, or a large one."""
    cdef const char *start = at
    if not strncmp(at, b"true", 4):
        number[0] = 1
        return at + 4
    if not strncmp(at, b"false", 5):
        number[0] = 0
        return at + 5
    number[0] = 0
    while c"0" <= at[0] <= c"9" and at - start < MOST_DIGITS:
        number[0] = 10 * number[0] + (at[0] - c"0")
        at += 1
    return at if at != start and (at[0] == c"," or at[0] == c"}") else NULL


cdef const char *value_end(const char *at) noexcept nogil:
    """Return the end of a string or word; NULL: it has escaped characters. Others end at once."""
    if at[0] == c'"':
        at = string_end(at)
        return at + 1 if at != NULL else NULL
    while is_of_word(at[0]):
        at += 1
    return at


cdef inline bint is_of_word(char one) noexcept nogil:
    """Return whether a number, true, false or null may have a character."""
    return (
        c"0" <= one <= c"9" or c"a" <= one <= c"z"
        or one == c"-" or one == c"+" or one == c"." or one == c"E"
    )
