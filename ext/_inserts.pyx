# cython: language_level=3, binding=False
"""Inserts rows into a table without an object for each value, and JSON for those that are dicts.

Python's sqlite3 makes a tuple of each row, copies its texts and lets go of the interpreter's lock
for each: half of what a row costs. So this file is at the same time an extension that the
connection loads (`sqlite_routines.h`), which gives it the functions of the very library that
sqlite3 uses. To that the rows are a table (`sqlite_rows.h`), from which one statement inserts them
all. A row is inserted only if all of its values are plain. Any other one is left to the caller, who
has the general way.
"""

include "loaded.pxi"

import cython
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from cpython.object cimport PyObject, PyTypeObject
from libc.stdint cimport int64_t
from libc.string cimport memcpy

cdef extern from "sqlite_rows.h":
    enum:
        SQLITE_DONE, SQLITE_RESET
    cdef enum row_kind:
        ROW_NULL, ROW_INTEGER, ROW_REAL, ROW_TEXT, ROW_BLOB
    cdef struct row_value:
        row_kind kind
        int size
        int64_t integer
        double real
        const char *bytes
    cdef struct row_source:
        const sqlite_routine *routines
        const char *declaration
        const row_value *values
        int (*next)(void *caller) noexcept
        void *caller
    int add_rows_table(sqlite3 *, const char *name, row_source *)

cdef extern from "json_text.h":
    enum:
        MOST_ESCAPED, MOST_DIGITS
    char *put_text(char *to, const char *text, size_t size)
    char *put_number(char *to, int64_t value)

# Objects as pointers: what is borrowed needs no references.
cdef extern from "Python.h":
    PyObject *Py_True  # `<PyObject *>True` is the number 1
    PyObject *Py_False
    void Py_XINCREF(PyObject *)
    void Py_XDECREF(PyObject *)
    bint PyUnicode_CheckExact(PyObject *)
    bint PyLong_CheckExact(PyObject *)
    bint PyFloat_CheckExact(PyObject *)
    bint PyBytes_CheckExact(PyObject *)
    bint Py_IS_TYPE(PyObject *, PyTypeObject *)
    bint PyDict_CheckExact(PyObject *)
    bint PyList_CheckExact(PyObject *)
    bint PyTuple_CheckExact(PyObject *)
    const char *PyUnicode_AsUTF8AndSize(PyObject *, Py_ssize_t *size_out) except NULL
    long long PyLong_AsLongLongAndOverflow(PyObject *, int *overflow_out) except? -1
    int PyBytes_AsStringAndSize(PyObject *, char **bytes_out, Py_ssize_t *size_out) except -1
    bint PyDict_Next(PyObject *, Py_ssize_t *at, PyObject **name_out, PyObject **value_out)
    bint PyTuple_Check(object)
    Py_ssize_t PyTuple_GET_SIZE(object)
    PyObject *PyTuple_GET_ITEM(object, Py_ssize_t)
    PyObject *PyList_GET_ITEM(object, Py_ssize_t)

cdef enum:
    FIRST_ROOM = 1024
    MOST_NESTED = 16
    SPARE = MOST_NESTED + 16  # bytes for brackets and what stands between values, and that are copied in vain
    MOST_BYTES = 1 << 30  # of a value; SQLite counts them as int
    MOST_VALUES = 16  # of a row


@cython.final
cdef class _Json:
    """A text of JSON, in memory that is used again for the next one.

    Its methods return whether the value is plain: a dict whose keys are texts, a list or tuple, a
    text, a whole number of 64 bits, a truth value or None; at the top also a form that is filled
    in. They write what msgspec would. There is always room for SPARE bytes more.
    """

    cdef char *bytes
    cdef char *end
    cdef size_t room
    cdef type form

    def __cinit__(self, type form):
        self.form = form
        self.begin()

    def __dealloc__(self):
        PyMem_Free(self.bytes)

    cdef int begin(self) except -1:
        """Forget what was written."""
        self.end = self.bytes
        return self.reserve(SPARE)

    cdef inline int reserve(self, size_t more) except -1:
        if self.end - self.bytes + more + SPARE <= self.room:
            return 0
        return self.grow(more)

    cdef int grow(self, size_t more) except -1:
        cdef size_t size = self.end - self.bytes, room = self.room or FIRST_ROOM
        cdef char *bytes

        while room < size + more + SPARE:
            room *= 2
        bytes = <char *>PyMem_Realloc(self.bytes, room)
        if not bytes:
            raise MemoryError
        self.bytes, self.end, self.room = bytes, bytes + size, room
        return 0

    cdef inline void put(self, char byte) noexcept:
        self.end[0] = byte
        self.end += 1

    cdef inline int put_comma(self) except -1:
        """End a member of an object or a list."""
        self.put(b",")
        return self.reserve(0)

    cdef inline bint close(self, char byte) noexcept:
        """End an object or a list, in place of the comma behind its last member."""
        if self.end[-1] == b",":
            self.end -= 1
        self.put(byte)
        return True

    cdef inline int write_word(self, const char *word, size_t size) except -1:
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
        elif value == Py_True:
            self.write_word(b"true", 4)
        elif value == Py_False:
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

    cdef bint write_fields(self, PyObject *value) except -1:
        """Write a dict, or a form that is filled in."""
        if PyDict_CheckExact(value):
            return self.write_dict(value, 0)
        return self.write_form(<tuple>value)

    cdef bint write_dict(self, PyObject *value, int depth) except -1:
        self.put(b"{")
        return self.write_members(value, depth) and self.close(b"}")

    cdef bint write_members(self, PyObject *value, int depth) except -1:
        """Write the members of a dict, each with a comma behind it."""
        cdef PyObject *name
        cdef PyObject *member
        cdef Py_ssize_t at = 0

        while PyDict_Next(value, &at, &name, &member):
            if not PyUnicode_CheckExact(name):
                return False
            self.write_text(name)
            self.put(b":")
            if not self.write(member, depth):
                return False
            self.put_comma()
        return True

    cdef bint write_form(self, tuple filled) except -1:
        """Write a form that is filled in (`model.form`)."""
        cdef PyObject *value
        cdef tuple starts
        cdef bytes start
        cdef Py_ssize_t at

        if not filled or not Py_IS_TYPE(PyTuple_GET_ITEM(filled, 0), <PyTypeObject *>self.form):
            return False
        starts = <tuple>PyTuple_GET_ITEM(<tuple>PyTuple_GET_ITEM(filled, 0), 1)
        if len(starts) != len(filled) - 1:
            raise ValueError(f"a form of {len(starts)} fields with {len(filled) - 1} values")
        self.put(b"{")
        for at in range(len(starts)):
            value = PyTuple_GET_ITEM(filled, at + 1)
            if value == <PyObject *>None:
                continue
            start = <bytes>PyTuple_GET_ITEM(starts, at)
            if not start:  # further fields
                if not PyDict_CheckExact(value) or not self.write_members(value, 0):
                    return False
                continue
            self.write_word(start, <size_t>len(start))
            if not self.write(value, 0):
                return False
            self.put_comma()
        return self.close(b"}")

    cdef bint write_list(self, value, int depth) except -1:
        self.put(b"[")
        for member in value:
            if not self.write(<PyObject *>member, depth):
                return False
            self.put_comma()
        return self.close(b"]")


@cython.final
cdef class Insert:
    """A statement that inserts rows into a table, of one connection.

    Args:
        db: the connection. This file is loaded into it.
        path: of this file.
        table: where rows go.
        columns: of the table, one for each value of a row.
        form: the class of forms (`model.form`).

    Raises:
        sqlite3.Error: SQLite loads no extensions, or refuses the statement.
    """

    cdef sqlite3 *db
    cdef sqlite3_stmt *statement
    cdef _Json json
    cdef bytes declaration
    cdef int width
    cdef row_source source
    cdef row_value values[MOST_VALUES]
    cdef PyObject *taken[MOST_VALUES]
    """What each value was made of, referenced, if it holds for the next row as well; or NULL."""
    cdef list rows
    cdef Py_ssize_t at
    """The row that is taken next."""
    cdef object failure

    def __init__(self, db, str path, str table, tuple columns, type form):
        self.width = <int>len(columns)
        if self.width > MOST_VALUES:
            raise ValueError(f"a table of {self.width} columns")
        names, name = ", ".join(columns), f"rows_for_{table}"
        self.json = _Json(form)
        self.declaration = f"CREATE TABLE {name} ({names})".encode()
        load(db, path)
        self.db = loaded_db
        self.source.routines = loaded_routines
        self.source.declaration = self.declaration
        self.source.values = self.values
        self.source.next = _take_next
        self.source.caller = <void *>self
        # OR FAIL: rows that were inserted before a refused one stay, and need no journal for it.
        sql = f"INSERT OR FAIL INTO {table} ({names}) SELECT {names} FROM {name}".encode()
        if (
            add_rows_table(self.db, name.encode(), &self.source) != SQLITE_OK
            or prepare(loaded_routines, self.db, sql, &self.statement) != SQLITE_OK
        ):
            raise error_of(loaded_routines, self.db)

    def __dealloc__(self):
        self.close()

    def close(self):
        """End the statement: the file stays open as long as there is one. May be called twice."""
        cdef int at

        if self.statement:
            run_statement(self.source.routines, self.statement, SQLITE_FINALIZE)
            self.statement = NULL
        for at in range(MOST_VALUES):
            self.remember(at, NULL)

    cdef int remember(self, int at, PyObject *value) except -1:
        cdef PyObject *before = self.taken[at]

        Py_XINCREF(value)
        self.taken[at] = value
        Py_XDECREF(before)
        return 0

    def add(self, list rows, Py_ssize_t first):
        """Insert rows from position `first` on, each a tuple of as many values as there are columns.

        Returns:
            The position of the first row that has a value which is not plain, and was not inserted;
            or the number of rows.

        Raises:
            sqlite3.Error: a row could not be inserted; those before it were.
        """
        cdef int code

        if not self.statement:
            raise ValueError("the statement was closed")
        self.rows, self.at = rows, first
        code = run_statement(self.source.routines, self.statement, SQLITE_STEP)
        error = None if code == SQLITE_DONE else error_of(self.source.routines, self.db)
        run_statement(self.source.routines, self.statement, SQLITE_RESET)
        self.rows, failure, self.failure = None, self.failure, None
        if failure is not None or error is not None:
            raise failure or error
        return self.at

    cdef bint take_next(self) except -1:
        """Take the values of the next row; return whether there is one that is plain."""
        if self.at >= len(self.rows) or not self.take(<object>PyList_GET_ITEM(self.rows, self.at)):
            return False
        self.at += 1
        return True

    cdef bint take(self, row) except -1:
        """Take the values of a row, and return whether all are plain.

        Most rows have the process, thread and names of the one before.
        """
        cdef int at
        cdef PyObject *value
        cdef bint lasts

        if not PyTuple_Check(row) or PyTuple_GET_SIZE(row) != self.width:
            raise ValueError(f"a row of {len(row)} values")
        try:
            for at in range(self.width):
                value = PyTuple_GET_ITEM(row, at)
                if value == self.taken[at]:
                    continue
                if not self.take_one(&self.values[at], value):
                    self.remember(at, NULL)
                    return False
                lasts = PyUnicode_CheckExact(value) or PyLong_CheckExact(value)
                self.remember(at, value if lasts else NULL)
        except UnicodeEncodeError:  # a lone surrogate: a name or a text that is no UTF-8
            return False
        return True

    cdef bint take_one(self, row_value *taken, PyObject *value) except -1:
        cdef int overflow = 0
        cdef Py_ssize_t size = 0
        cdef char *octets

        if PyLong_CheckExact(value):
            taken.kind = ROW_INTEGER
            taken.integer = PyLong_AsLongLongAndOverflow(value, &overflow)
        elif PyUnicode_CheckExact(value):
            taken.kind, taken.bytes = ROW_TEXT, PyUnicode_AsUTF8AndSize(value, &size)
        elif PyDict_CheckExact(value) or PyTuple_CheckExact(value):
            self.json.begin()
            if not self.json.write_fields(value):
                return False
            size = self.json.end - self.json.bytes
            taken.kind, taken.bytes = ROW_TEXT, self.json.bytes
        elif PyFloat_CheckExact(value):
            taken.kind, taken.real = ROW_REAL, <object>value
        elif PyBytes_CheckExact(value):
            PyBytes_AsStringAndSize(value, &octets, &size)
            taken.kind, taken.bytes = ROW_BLOB, octets
        elif value == <PyObject *>None:
            taken.kind = ROW_NULL
        else:
            return False
        taken.size = <int>size
        return not overflow and size < MOST_BYTES


cdef int _take_next(void *caller) noexcept:
    """Have SQLite read the next row of an Insert; what is raised ends its statement."""
    cdef Insert insert = <Insert>caller

    try:
        return insert.take_next()
    except BaseException as error:
        insert.failure = error
        return False
