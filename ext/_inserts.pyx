# cython: language_level=3, binding=False
"""Inserts rows into a table without an object for each value, and JSON for those that are dicts.

Python's sqlite3 makes a tuple of each row, copies its texts and lets go of the interpreter's lock
for each: half of what a row costs. So this file is at the same time an extension that the
connection loads (`sqlite_routines.h`), which gives it the statement and the functions of the very
library that sqlite3 uses. A row is inserted only if all of its values are plain. Any other one is
left to the caller, who has the general way.
"""

from sqlite3 import OperationalError

from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject
from libc.stdint cimport int64_t
from libc.string cimport memcpy

cdef extern from "sqlite_routines.h":
    cdef struct sqlite3:
        pass
    cdef struct sqlite3_stmt:
        pass
    ctypedef void (*sqlite_routine)()
    enum:
        SQLITE_OK, SQLITE_DONE, SQLITE_FINALIZE, SQLITE_RESET, SQLITE_STEP
    sqlite3 *loaded_db
    const sqlite_routine *loaded_routines
    int bind_text(const sqlite_routine *, sqlite3_stmt *, int at, const char *, int size)
    int bind_blob(const sqlite_routine *, sqlite3_stmt *, int at, const char *, int size)
    int bind_int64(const sqlite_routine *, sqlite3_stmt *, int at, int64_t)
    int bind_double(const sqlite_routine *, sqlite3_stmt *, int at, double)
    int bind_null(const sqlite_routine *, sqlite3_stmt *, int at)
    int prepare(const sqlite_routine *, sqlite3 *, const char *sql, sqlite3_stmt **statement_out)
    int run_statement(const sqlite_routine *, sqlite3_stmt *, int place)
    int error_code(const sqlite_routine *, sqlite3 *)
    const char *error_message(const sqlite_routine *, sqlite3 *)

cdef extern from "json_text.h":
    enum:
        MOST_ESCAPED, MOST_DIGITS
    char *put_text(char *to, const char *text, size_t size)
    char *put_number(char *to, int64_t value)

# Objects as pointers: what is borrowed needs no references.
cdef extern from "Python.h":
    void Py_XINCREF(PyObject *)
    void Py_XDECREF(PyObject *)
    bint PyUnicode_CheckExact(PyObject *)
    bint PyLong_CheckExact(PyObject *)
    bint PyFloat_CheckExact(PyObject *)
    bint PyBytes_CheckExact(PyObject *)
    bint PyDict_CheckExact(PyObject *)
    bint PyList_CheckExact(PyObject *)
    bint PyTuple_CheckExact(PyObject *)
    const char *PyUnicode_AsUTF8AndSize(PyObject *, Py_ssize_t *size_out) except NULL
    long long PyLong_AsLongLongAndOverflow(PyObject *, int *overflow_out) except? -1
    int PyBytes_AsStringAndSize(PyObject *, char **bytes_out, Py_ssize_t *size_out) except -1
    bint PyDict_Next(PyObject *, Py_ssize_t *at, PyObject **name_out, PyObject **value_out)
    Py_ssize_t PyTuple_Size(object) except -1
    PyObject *PyTuple_GetItem(object, Py_ssize_t) except NULL
    PyObject *PyList_GetItem(object, Py_ssize_t) except NULL

cdef enum:
    FIRST_ROOM = 1024
    SPARE = 16  # bytes for what stands between values, for a word, and that are copied in vain
    MOST_NESTED = 16
    MOST_BYTES = 1 << 30  # of a value; SQLite counts them as int
    MOST_VALUES = 16  # of a row


cdef class _Json:
    """A text of JSON, in memory that is used again for the next one.

    Its methods return whether the value is plain: a dict whose keys are texts, a list or tuple, a
    text, a whole number of 64 bits, a truth value or None. They write what msgspec would. There is
    always room for SPARE bytes more.
    """

    cdef char *bytes
    cdef char *end
    cdef size_t room

    def __cinit__(self):
        self.begin()

    def __dealloc__(self):
        PyMem_Free(self.bytes)

    cdef int begin(self) except -1:
        """Forget what was written."""
        self.end = self.bytes
        return self.reserve(SPARE)

    cdef int reserve(self, size_t more) except -1:
        cdef size_t size = self.end - self.bytes, room = self.room or FIRST_ROOM
        cdef char *bytes

        while room < size + more + SPARE:
            room *= 2
        if room > self.room:
            bytes = <char *>PyMem_Realloc(self.bytes, room)
            if not bytes:
                raise MemoryError
            self.bytes, self.end, self.room = bytes, bytes + size, room
        return 0

    cdef void put(self, char byte) noexcept:
        self.end[0] = byte
        self.end += 1

    cdef int write_word(self, const char *word, size_t size) except -1:
        self.reserve(size)
        memcpy(self.end, word, size)
        self.end += size
        return 0

    cdef int write_text(self, PyObject *text) except -1:
        cdef Py_ssize_t size
        cdef const char *bytes = PyUnicode_AsUTF8AndSize(text, &size)

        self.reserve(MOST_ESCAPED * <size_t>size)
        self.end = put_text(self.end, bytes, <size_t>size)
        return 0

    cdef bint write_number(self, PyObject *number) except -1:
        cdef int overflow = 0
        cdef int64_t value = PyLong_AsLongLongAndOverflow(number, &overflow)

        if overflow:
            return False
        self.reserve(MOST_DIGITS)
        self.end = put_number(self.end, value)
        return True

    cdef bint write(self, PyObject *value, int depth) except -1:
        if PyUnicode_CheckExact(value):
            self.write_text(value)
        elif PyLong_CheckExact(value):
            return self.write_number(value)
        elif value == <PyObject *>True:
            self.write_word(b"true", 4)
        elif value == <PyObject *>False:
            self.write_word(b"false", 5)
        elif value == <PyObject *>None:
            self.write_word(b"null", 4)
        elif depth >= MOST_NESTED:
            return False
        elif PyDict_CheckExact(value):
            return self.write_dict(value, depth + 1)
        elif PyList_CheckExact(value) or PyTuple_CheckExact(value):
            return self.write_list(<object>value, depth + 1)
        else:
            return False
        return True

    cdef bint write_dict(self, PyObject *value, int depth) except -1:
        cdef PyObject *name
        cdef PyObject *member
        cdef Py_ssize_t at = 0
        cdef char before = b"{"

        while PyDict_Next(value, &at, &name, &member):
            self.put(before)
            before = b","
            if not PyUnicode_CheckExact(name):
                return False
            self.write_text(name)
            self.put(b":")
            if not self.write(member, depth):
                return False
            self.reserve(0)
        if before == b"{":
            self.put(b"{")
        self.put(b"}")
        return True

    cdef bint write_list(self, value, int depth) except -1:
        cdef char before = b"["

        for member in value:
            self.put(before)
            before = b","
            if not self.write(<PyObject *>member, depth):
                return False
            self.reserve(0)
        if before == b"[":
            self.put(b"[")
        self.put(b"]")
        return True


cdef class Insert:
    """A statement that inserts one row, of one connection.

    Args:
        db: the connection. This file is loaded into it.
        path: of this file.
        sql: the statement, with a `?` for each value of a row.

    Raises:
        sqlite3.Error: SQLite loads no extensions, or refuses the statement.
    """

    cdef sqlite3 *db
    cdef sqlite3_stmt *statement
    cdef const sqlite_routine *routines
    cdef _Json json
    cdef PyObject *bound[MOST_VALUES]
    """What each place was bound to last, referenced, if that need not be done again; or NULL."""

    def __init__(self, db, str path, str sql):
        self.json = _Json()
        db.enable_load_extension(True)
        try:
            db.load_extension(path)
        finally:
            db.enable_load_extension(False)
        self.db, self.routines = loaded_db, loaded_routines
        if prepare(self.routines, self.db, sql.encode(), &self.statement) != SQLITE_OK:
            raise self.error()

    def __dealloc__(self):
        self.close()

    def close(self):
        """End the statement: the file stays open as long as there is one. May be called twice."""
        cdef int at

        if self.statement:
            run_statement(self.routines, self.statement, SQLITE_FINALIZE)
            self.statement = NULL
        for at in range(MOST_VALUES):
            self.remember(at, NULL)

    cdef int remember(self, int at, PyObject *value) except -1:
        cdef PyObject *before = self.bound[at]

        Py_XINCREF(value)
        self.bound[at] = value
        Py_XDECREF(before)
        return 0

    def add(self, list rows, Py_ssize_t first):
        """Insert rows from position `first` on, each a tuple of as many values as the statement has.

        Returns:
            The position of the first row that has a value which is not plain, and was not inserted;
            or the number of rows.

        Raises:
            sqlite3.Error: a row could not be inserted; those before it were.
        """
        cdef Py_ssize_t at, count = len(rows)

        if not self.statement:
            raise ValueError("the statement was closed")
        for at in range(first, count):
            if not self.bind(<object>PyList_GetItem(rows, at)):
                return at
            if run_statement(self.routines, self.statement, SQLITE_STEP) != SQLITE_DONE:
                error = self.error()
                run_statement(self.routines, self.statement, SQLITE_RESET)
                raise error
            run_statement(self.routines, self.statement, SQLITE_RESET)
        return count

    cdef bint bind(self, row) except -1:
        """Bind the values of a row, and return whether all are plain.

        Most rows have the process, thread and names of the one before.
        """
        cdef int at, count = <int>PyTuple_Size(row)
        cdef PyObject *value
        cdef bint lasts

        if count > MOST_VALUES:
            raise ValueError(f"a row of {count} values")
        try:
            for at in range(count):
                value = PyTuple_GetItem(row, at)
                if value == self.bound[at]:
                    continue
                if not self.bind_one(at + 1, value):
                    self.remember(at, NULL)
                    return False
                lasts = PyUnicode_CheckExact(value) or PyLong_CheckExact(value)
                self.remember(at, value if lasts else NULL)
        except UnicodeEncodeError:  # a lone surrogate: a name or a text that is no UTF-8
            return False
        return True

    cdef bint bind_one(self, int at, PyObject *value) except -1:
        cdef const sqlite_routine *routines = self.routines
        cdef const char *text
        cdef char *octets
        cdef Py_ssize_t size
        cdef int overflow = 0
        cdef int64_t number

        if PyLong_CheckExact(value):
            number = PyLong_AsLongLongAndOverflow(value, &overflow)
            return not overflow and bind_int64(routines, self.statement, at, number) == SQLITE_OK
        if PyUnicode_CheckExact(value):
            text = PyUnicode_AsUTF8AndSize(value, &size)
            return size < MOST_BYTES and (
                bind_text(routines, self.statement, at, text, <int>size) == SQLITE_OK
            )
        if PyDict_CheckExact(value):
            return self.bind_json(at, value)
        if PyFloat_CheckExact(value):
            return bind_double(routines, self.statement, at, <object>value) == SQLITE_OK
        if PyBytes_CheckExact(value):
            PyBytes_AsStringAndSize(value, &octets, &size)
            return size < MOST_BYTES and (
                bind_blob(routines, self.statement, at, octets, <int>size) == SQLITE_OK
            )
        return value == <PyObject *>None and bind_null(routines, self.statement, at) == SQLITE_OK

    cdef bint bind_json(self, int at, PyObject *value) except -1:
        cdef Py_ssize_t size

        self.json.begin()
        if not self.json.write_dict(value, 0):
            return False
        size = self.json.end - self.json.bytes
        return size < MOST_BYTES and (
            bind_text(self.routines, self.statement, at, self.json.bytes, <int>size) == SQLITE_OK
        )

    cdef object error(self):
        """Return the last error of the connection, as sqlite3 would raise it."""
        cdef bytes message = error_message(self.routines, self.db)

        error = OperationalError(message.decode(errors="replace"))
        error.sqlite_errorcode = error_code(self.routines, self.db)
        return error
