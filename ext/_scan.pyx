# cython: language_level=3, binding=False
"""Events counted by a value of theirs, and SQL functions that read their JSON, all in C.

SQLite groups by sorting, which takes longer than to read a million events. So they are counted
here, in a dict.
"""

include "taker.pxi"

from libc.string cimport memcmp

cdef extern from "sql_functions.h":
    int add_sql_functions()

cdef extern from "Python.h":
    object PyBytes_FromStringAndSize(const char *, Py_ssize_t)


def add_functions(db, str path):
    """Add `json_field` and `has_bytes` to a connection (sql_functions.h).

    Raises:
        sqlite3.Error: SQLite loads no extensions.
        AttributeError: this sqlite3 cannot load extensions.
    """
    load(db, path)
    if add_sql_functions() != SQLITE_OK:
        raise error_of(loaded_routines, loaded_db)


def count_values(db, str path, str sql, parameters, bint has_number):
    """Return value, number of rows and sum of each group of rows.

    Args:
        db: the connection.
        path: of the file of this module.
        sql: SELECT count(count_value(?1, value)) FROM... or, if `has_number`,
            SELECT count(count_value(?1, value, number)) FROM...: the number is what is summed up.
        parameters: of the statement, but for the first.

    Returns:
        The groups in the order in which they came up. A text is bytes; None stands for NULL, and
        for the sum of no numbers.
    """
    cdef _Groups groups = _Groups()
    groups.columns = 2 if has_number else 1
    groups.read(db, path, b"count_value", sql, parameters)
    return [(key, (<_Group>group).count, (<_Group>group).sum) for key, group in groups.all.items()]


cdef class _Group:
    cdef int64_t count
    cdef object sum


cdef class _Groups(_Taker):
    cdef dict all
    cdef _Group last
    """The group of the row before, if that had a text, `text`: what follows often is of one file"""
    cdef bytes text

    def __init__(self):
        self.all = {}

    cdef bint take(self, sqlite3_value **values) except -1:
        cdef int kind = value_type(self.routines, values[0])
        cdef _Group group
        cdef const char *text
        cdef Py_ssize_t size
        if kind == SQLITE_TEXT or kind == SQLITE_BLOB:
            text = value_text(self.routines, values[0])
            size = value_bytes(self.routines, values[0])
            if self.text is None or size != len(self.text) or memcmp(
                text, PyBytes_AsString(self.text), size
            ):
                self.text = PyBytes_FromStringAndSize(text, size)
                self.last = self.of(self.text)
            group = self.last
        else:
            group = self.of(self.plain(values[0], kind))
        group.count += 1
        if self.columns > 1:
            kind = value_type(self.routines, values[1])
            if kind != SQLITE_NULL:
                number = self.plain(values[1], kind)
                group.sum = number if group.sum is None else group.sum + number
        return False

    cdef _Group of(self, key):
        group = self.all.get(key)
        if group is None:
            group = self.all[key] = _Group()
        return <_Group>group

    cdef plain(self, sqlite3_value *value, int kind):
        """Return a number, None if it is NULL."""
        if kind == SQLITE_INTEGER:
            return value_int64(self.routines, value)
        return None if kind == SQLITE_NULL else value_double(self.routines, value)
