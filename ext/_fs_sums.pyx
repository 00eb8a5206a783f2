# cython: language_level=3, binding=False
"""The files of a session: its fs events added up for each, without an object for each event.

Which file each path names, while renames, links and deletions are read in their order:

1. A rename gives a file its new name. The file that had that name before is gone, and its record
   goes on in the one that replaced it, as editors and package managers replace files.
2. An exchange (RENAME_EXCHANGE) swaps two names.
3. The rename of a folder renames what is below it, as far as it is there.
4. A hard link is one more name. When one of several names is deleted, the others stay.

A million events are of 100,000 files, and most of the time is spent waiting for memory: so what is
known of a path is small, and is found by the hash of its bytes.

Parts of this module are fs_fields.pxi (an event), used_file.pxi (a file) and name_uses.pxi (which
events name which paths).
"""

include "taker.pxi"

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.unicode cimport PyUnicode_AsEncodedString, PyUnicode_DecodeUTF8
from libc.stdint cimport UINT32_MAX, uint32_t
from libc.string cimport memcmp, memcpy, strcmp, strlen, strncmp
from text_table cimport (
    same_text, text, text_at, text_hash, text_known, text_table, text_table_deinit, text_table_fetch,
    text_table_fetch_slot, text_table_find, text_table_init, text_table_next,
)

cdef extern from "string.h" nogil:
    void *memmem(const void *text, size_t size, const void *part, size_t part_size)

cdef extern from *:
    void fetch "__builtin_prefetch"(const void *) nogil

cdef extern from "Python.h":
    void Py_XDECREF(PyObject *)

include "fs_fields.pxi"
include "used_file.pxi"
include "name_uses.pxi"

cdef enum kind:
    OPEN, CLOSE, FAIL, CHANGE, RENAME, LINK, DELETE, UNKNOWN


cdef struct place:
    # What a path leads to, and the paths directly inside that are known or lead to known ones. It
    # is beside the path and may be elsewhere when another path has been found.
    PyObject *file  # a UsedFile; NULL: none
    uint32_t first, last, next  # paths inside, and the next one inside the same folder; 0: none
    bint is_listed  # in its folder


cdef enum:
    TOP  # the path with no characters, in which all others are
    KEPT_FLAGS = 64  # characters


cdef class Files:
    """Events in, files out; the files by the names that they have now."""

    cdef text_table paths
    cdef _Uses uses
    """None: they are not asked for."""
    cdef list made
    """The files in the order in which they came up; in place of one that was absorbed, the number
    of the file that has its last name now, and its record."""
    cdef Py_ssize_t count
    cdef uint32_t last_path
    cdef UsedFile last
    """The file of the event before, which had this path; None: that is to be found."""
    cdef text last_flags
    cdef char kept_flags[KEPT_FLAGS]
    cdef bint last_changed, last_folder

    def __cinit__(self):
        self.made = []
        if text_table_init(&self.paths, sizeof(place)) < 0:
            raise MemoryError
        self.number(text(b"", 0))

    def __dealloc__(self):
        cdef uint32_t path = TOP
        for _ in range(self.paths.count):
            Py_XDECREF(self.of(path).file)
            path = text_table_next(&self.paths, path)
        text_table_deinit(&self.paths)

    def __len__(self):
        return self.count

    def __iter__(self):
        return (file for file in self.made if type(file) is UsedFile)

    def add(self, list rows):
        """Take events in the order of recording: source (bytes), process, data (JSON, bytes)."""
        cdef tuple row
        for row in rows:
            self.add_event(
                PyBytes_AsString(row[0]), row[1], PyBytes_AsString(row[2]), len(row[2]), 0
            )

    def add_selected(self, db, str path, str sql, Py_ssize_t most, bint with_uses=False):
        """Take events from a connection; return whether there are no more than `most` files.

        Args:
            db: the connection.
            path: of the file of this module.
            sql: SELECT count(add_event(?1, source, process, data, id)) FROM...
            most: reading ends when there are more files.
            with_uses: whether `names` will be asked for.
        """
        cdef _Events events = _Events(self, most)
        if with_uses:
            self.uses = _Uses()
        is_whole = events.read(db, path, b"add_event", sql, ())
        events.add_waiting()
        return is_whole and self.count <= most

    @property
    def has_uses(self):
        """Whether it has noted which events have which names: only if asked to, and not too many."""
        return self.uses is not None and self.uses.is_whole

    def names(self):
        """Yield each name that events have, how many have it as `file`, and which (`_Uses.of`).

        The first is None: what is counted has no `file`.
        """
        cdef uint32_t path = TOP
        yield None, self.uses.without, []
        self.uses.join()
        for _ in range(self.paths.count):
            if path <= self.uses.last_path and self.uses.firsts[path]:
                yield self.path(path), *self.uses.of(path)
            path = text_table_next(&self.paths, path)

    def find(self, str path):
        """Return the file with this name, None if there is none."""
        file = self.of(self.number_of(path)).file
        return None if file == NULL else <UsedFile>file

    def at(self, str path):
        """Return the file with this name, if need be a new one."""
        return self.file_of(self.number_of(path))

    def present(self, UsedFile file):
        """Return the file whose record has all that was done to this one, perhaps itself."""
        found = self.made[file.number]
        while type(found) is not UsedFile:
            number, found = found, self.made[found]
        if found is not file:
            self.made[file.number] = (<UsedFile>found).number
        return found

    def forget_processes(self, Py_ssize_t most):
        """Keep of each file so many processes, those that used it first."""
        for file in self:
            file.forget_processes(most)

    def renamed(self, str old, str new):
        """Rename a file or a folder; two names of one file both stay (rename(2))."""
        self.rename(self.number_of(old), self.number_of(new))

    def exchanged(self, str one, str other):
        """Swap two names, and those below them if they are folders."""
        self.exchange(self.number_of(one), self.number_of(other))

    def linked(self, str target, str name):
        """Give the file `target` one more name."""
        self.link(self.number_of(target), self.number_of(name))

    def deleted(self, str name):
        """Delete a name, and with its last name the file."""
        self.delete(self.number_of(name))

    cdef int add_event(
        self, const char *source, int64_t process, const char *data, Py_ssize_t size, int64_t id
    ) except -1:
        cdef kind what = kind_of(source)
        cdef fields found
        cdef list kept = None
        if what == UNKNOWN:
            return 0
        if not scan(data, data + size, &found):
            kept = decode(<bytes>data[:size], &found)
        return self.add_fields(what, process, &found, id)

    cdef int note_uses(self, int64_t event, const fields *found) except -1:
        cdef int which
        cdef text name
        if found.texts[FILE].start == NULL:
            self.uses.without += 1
        for which in range(FILE_PASSED + 1):
            name = found.texts[which]
            if name.start == NULL or (
                which == FILE_PASSED and same_text(base_name(name), base_name(found.texts[FILE]))
            ):
                continue  # who looks for its last name finds the path, too
            self.uses.add(event, self.number(name), which == FILE)
        return 0

    cdef int add_fields(
        self, kind what, int64_t process, const fields *found, int64_t id
    ) except -1:
        cdef UsedFile file
        if self.uses is not None:
            self.note_uses(id, found)
        if found.texts[FILE].size == 0:
            return 0
        if what >= RENAME:
            return self.name(what, process, found)
        if self.last is None or not same_text(
            text_at(&self.paths, self.last_path), found.texts[FILE]
        ):
            self.last_path = self.number(found.texts[FILE])
            self.last = self.file_of(self.last_path)
        file = self.last
        file.add_process(process)
        if what == OPEN:
            self.open(file, found.texts[FLAGS], found.numbers[CREATED] != 0)
        elif what == CLOSE:
            file.close(found.numbers)
        elif what == FAIL:
            file.fail(found.texts[ERROR])
        else:
            file.change()
        return 0

    cdef int open(self, UsedFile file, text flags, bint created) except -1:
        file.opens += 1
        file.exists = True
        if not same_text(flags, self.last_flags):
            self.read_flags(flags)
        if created or self.last_changed:
            file.changed = True
        if self.last_folder:
            file.folder = True
        return 0

    cdef void read_flags(self, text flags) noexcept:
        """Find out what flags say, and keep them: those of the next open are often the same."""
        self.last_flags.size = 0
        if flags.size <= KEPT_FLAGS:
            memcpy(self.kept_flags, flags.start, flags.size)
            self.last_flags.start, self.last_flags.size = self.kept_flags, flags.size
        self.last_changed = flags_change(flags)
        self.last_folder = has(flags, b"O_DIRECTORY")

    cdef int name(self, kind what, int64_t process, const fields *found) except -1:
        """Take an event that changes names."""
        cdef uint32_t one = self.number(found.texts[FILE]), other
        cdef UsedFile file
        if what == DELETE:
            file = self.delete(one)
        elif what == RENAME:
            if not found.texts[FILE_NEW].size:
                return 0
            other = self.number(found.texts[FILE_NEW])
            if found.numbers[EXCHANGED]:
                file = self.exchange(one, other)
                self.file_of(one).add_process(process)
            else:
                file = self.rename(one, other)
        elif found.texts[FILE_TARGET].size and not is_symbolic(found.texts[OP]):
            file = self.link(self.number(found.texts[FILE_TARGET]), one)
        else:  # a symbolic one is a file of its own, whatever it leads to
            file = self.file_of(one)
            file.change()
        file.add_process(process)
        return 0

    cdef UsedFile rename(self, uint32_t old, uint32_t new):
        cdef UsedFile file = self.file_of(old)
        file.exists = True
        if self.of(new).file != <PyObject *>file:
            self.move([(old, new), *self.moves_below(old, new)])
            file.renamed = True
        return file

    cdef UsedFile exchange(self, uint32_t one, uint32_t other):
        cdef UsedFile first = self.file_of(one), second = self.file_of(other)
        first.exists = second.exists = True
        if first is not second:
            there, back = self.moves_below(one, other), self.moves_below(other, one)
            self.move([(one, other), (other, one), *there, *back])
            first.renamed = second.renamed = True
        return first

    cdef UsedFile link(self, uint32_t target, uint32_t name):
        cdef UsedFile file = self.file_of(target)
        file.exists = True
        self.give(name, file)
        file.gain_name(self.path(name))
        return file

    cdef UsedFile delete(self, uint32_t number):
        cdef UsedFile file = self.file_of(number)
        if file.links > 1:
            self.take_name(number)
            file.links -= 1
            name = self.path(number)
            if file.path == name:
                left = [other for other in file.names if self.find(other) is file]
                file.change_name(name, left[0])
        else:
            file.deleted, file.exists = True, False
        return file

    cdef UsedFile file_of(self, uint32_t number):
        """Return the file with this name, if need be a new one."""
        cdef UsedFile file
        if self.of(number).file != NULL:
            return <UsedFile>self.of(number).file
        file = UsedFile(self.path(number))
        file.number = len(self.made)
        self.made.append(file)
        self.count += 1
        self.put(number, file)
        return file

    cdef uint32_t number_of(self, str path) except? 0:
        cdef bytes encoded = PyUnicode_AsEncodedString(path, b"utf-8", b"surrogatepass")
        return self.number(text(PyBytes_AsString(encoded), len(encoded)))

    cdef uint32_t number(self, text path) except? 0:
        """Return the number of a path."""
        cdef uint32_t found
        if text_table_find(&self.paths, path, &found) < 0:
            raise MemoryError
        return found

    cdef inline place *of(self, uint32_t number) noexcept:
        return <place *>text_known(&self.paths, number)

    cdef str path(self, uint32_t number):
        return string(text_at(&self.paths, number))

    cdef UsedFile take_name(self, uint32_t number):
        """Have a name lead nowhere; return the file that it led to, None if there was none."""
        if self.of(number).file == NULL:
            return None
        self.last = None
        file = <UsedFile>self.of(number).file
        Py_XDECREF(self.of(number).file)
        self.of(number).file = NULL
        return file

    cdef int put(self, uint32_t number, UsedFile file) except -1:
        self.last = None
        Py_INCREF(file)
        self.of(number).file = <PyObject *>file
        file.links += 1
        return self.note_folders(number)

    cdef int note_folders(self, uint32_t number) except -1:
        """List a path in its folder, and that in its own."""
        cdef uint32_t folder
        cdef text path
        while number != TOP and not self.of(number).is_listed:
            path = text_at(&self.paths, number)
            while path.size and path.start[path.size - 1] != c"/":
                path.size -= 1
            if path.size:
                path.size -= 1
            folder = self.number(path)
            self.of(number).is_listed = True
            self.of(number).next = 0
            if self.of(folder).first:
                self.of(self.of(folder).last).next = number
            else:
                self.of(folder).first = number
            self.of(folder).last = number
            number = folder
        return 0

    cdef int give(self, uint32_t number, UsedFile file) except -1:
        """Give a name to a file; if another file loses its last name by that, join the two."""
        cdef UsedFile former
        if self.of(number).file == <PyObject *>file:
            return 0
        if self.of(number).file != NULL:
            former = self.take_name(number)
            former.links -= 1
            if not former.links:
                file.absorb(former)
                self.made[former.number] = file.number
                self.count -= 1
        return self.put(number, file)

    cdef int move(self, list moves) except -1:
        """Rename many at once, since a name may be both an old and a new one."""
        cdef UsedFile file
        files = [self.take_name(old) for old, _ in moves]
        for file, (old, new) in zip(files, moves):
            if file is not None:  # a damaged session may rename a folder to what is in it
                self.give(new, file)
                file.links -= 1
                file.change_name(self.path(old), self.path(new))
        return 0

    cdef list moves_below(self, uint32_t old, uint32_t new):
        """Return the old and new names of the files below a folder that are there."""
        cdef uint32_t path
        cdef list known = [], moves = []
        if not self.of(old).first:
            return moves
        pending = [old]
        while pending:
            folder = pending.pop()
            path = self.of(folder).first
            self.of(folder).first = 0
            while path:
                self.of(path).is_listed = False
                pending.append(path)
                if self.of(path).file != NULL:
                    known.append(path)
                path = self.of(path).next
        before, after = self.path(old), self.path(new)
        for path in known:
            if (<UsedFile>self.of(path).file).exists:
                moves.append((path, self.number_of(after + self.path(path)[len(before):])))
            else:
                self.note_folders(path)
        return moves


cdef enum:
    MOST_WAITING = 16
    CACHE_LINE = 64
    WAITING_BYTES = 512  # of the data of an event and a NUL; one that has more does not wait

cdef struct waiting_event:
    kind what
    int64_t process, id
    fields found
    uint32_t hash
    char data[WAITING_BYTES]


cdef class _Events(_Taker):
    """Adds events to files.

    Some wait, so that the memory that they are about is fetched for all of them at once: a million
    events use more of it than fits in any cache.
    """

    cdef Files files
    cdef Py_ssize_t most
    cdef waiting_event waiting[MOST_WAITING]
    cdef int count

    def __init__(self, Files files, Py_ssize_t most):
        self.files, self.most, self.columns = files, most, 4

    cdef bint take(self, sqlite3_value **values) except -1:
        cdef const char *source = value_text(self.routines, values[0])
        cdef const char *data = value_text(self.routines, values[2])
        cdef int size
        cdef int64_t process, id
        cdef waiting_event *event
        if source == NULL or data == NULL:
            raise MemoryError
        size = value_bytes(self.routines, values[2])
        process = value_int64(self.routines, values[1])
        id = value_int64(self.routines, values[3])
        event = &self.waiting[self.count]
        event.what = kind_of(source)
        if event.what == UNKNOWN:
            if self.files.uses is not None:
                self.files.uses.is_whole = False
            return False
        if size < WAITING_BYTES:
            memcpy(event.data, data, size + 1)  # with the NUL that ends it
            if scan(event.data, event.data + size, &event.found):
                event.process, event.id = process, id
                event.hash = text_hash(&self.files.paths, event.found.texts[FILE])
                text_table_fetch_slot(&self.files.paths, event.hash)
                self.count += 1
                if self.count == MOST_WAITING:
                    self.add_waiting()
                return False
        self.add_waiting()
        self.files.add_event(source, process, data, size, id)
        return False

    cdef int add_waiting(self) except -1:
        cdef int at, count = self.count
        cdef uint32_t path
        cdef PyObject *file
        self.count = 0
        for at in range(count):
            text_table_fetch(&self.files.paths, self.waiting[at].hash, &path)
        for at in range(count):
            if text_table_fetch(&self.files.paths, self.waiting[at].hash, &path):
                file = self.files.of(path).file
                if file != NULL:
                    fetch(file)
                    fetch(<char *>file + CACHE_LINE)
                    fetch(<char *>file + 2 * CACHE_LINE)
        for at in range(count):
            self.files.add_fields(
                self.waiting[at].what, self.waiting[at].process, &self.waiting[at].found,
                self.waiting[at].id,
            )
        return 0

    cdef bint pause(self) except -1:
        _Taker.pause(self)
        return self.files.count > self.most


cdef kind kind_of(const char *source) noexcept nogil:
    if strncmp(source, b"fs.", 3):
        return UNKNOWN
    source += 3
    if not strcmp(source, b"open"):
        return OPEN
    if not strcmp(source, b"close"):
        return CLOSE
    if not strcmp(source, b"error"):
        return FAIL
    if not strcmp(source, b"mkdir") or not strcmp(source, b"attr"):
        return CHANGE
    if not strcmp(source, b"rename"):
        return RENAME
    if not strcmp(source, b"link"):
        return LINK
    return DELETE if not strcmp(source, b"delete") else UNKNOWN


cdef inline str string(text found):
    return PyUnicode_DecodeUTF8(found.start, found.size, "surrogatepass")


cdef inline bint has(text found, const char *part) noexcept nogil:
    return memmem(found.start, found.size, part, strlen(part)) != NULL


cdef inline bint flags_change(text flags) noexcept nogil:
    """Whether an open with these flags that succeeds has made or emptied a file."""
    return (
        (has(flags, b"O_EXCL") and has(flags, b"O_CREAT"))
        or has(flags, b"O_TRUNC") or has(flags, b"O_TMPFILE")
    )


def open_changes(str flags):
    """Return whether an open with these flags that succeeds has made or emptied a file."""
    cdef bytes encoded = flags.encode()
    return flags_change(text(PyBytes_AsString(encoded), len(encoded)))


cdef inline text base_name(text path) noexcept nogil:
    """What follows the last slash."""
    cdef size_t start = path.size
    while start and path.start[start - 1] != c"/":
        start -= 1
    return text(path.start + start, path.size - start)


cdef inline bint is_symbolic(text op) noexcept nogil:
    return op.size >= 7 and not memcmp(op.start, b"symlink", 7)
