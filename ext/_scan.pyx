# cython: language_level=3, binding=False
"""Events counted by a value of theirs, and SQL functions that read their JSON, all in C.

SQLite groups by sorting, which takes longer than to read a million events. So they are counted
here, beside each text, which is found by the hash of its bytes.
"""

include "taker.pxi"

from libc.stdint cimport uint32_t
from text_table cimport (
    same_text, text, text_at, text_known, text_table, text_table_deinit, text_table_find, text_table_init,
    text_table_next,
)

cdef extern from "sql_functions.h":
    int add_sql_functions()

cdef extern from *:
    bint is_too_large "__builtin_saddll_overflow"(long long, long long, long long *) nogil

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
        The groups in any order. A text is bytes; None stands for NULL, and for the sum of no
        numbers.
    """
    cdef _Groups groups = _Groups()
    groups.columns = 2 if has_number else 1
    groups.read(db, path, b"count_value", sql, parameters)
    return groups.found()


cdef struct group:
    int64_t first  # its first row
    int64_t count, sum
    bint has_sum


cdef class _Groups(_Taker):
    cdef text_table texts
    cdef dict others
    """Value that is no text → its group, as bytes."""
    cdef dict sums
    """First row of a group → its sum, where that is no int64_t."""
    cdef uint32_t last
    """The text of the row before, if there is one: what follows often is of one file."""

    def __cinit__(self):
        self.others, self.sums = {}, {}
        if text_table_init(&self.texts, sizeof(group)) < 0:
            raise MemoryError

    def __dealloc__(self):
        text_table_deinit(&self.texts)

    cdef bint take(self, sqlite3_value **values) except -1:
        cdef int kind = value_type(self.routines, values[0])
        cdef group *found
        cdef text value
        if kind == SQLITE_TEXT or kind == SQLITE_BLOB:
            value.start = value_text(self.routines, values[0])
            value.size = value_bytes(self.routines, values[0])
            if not self.texts.count or not same_text(text_at(&self.texts, self.last), value):
                if value.start == NULL or text_table_find(&self.texts, value, &self.last) < 0:
                    raise MemoryError
            found = <group *>text_known(&self.texts, self.last)
        else:
            found = self.of(self.plain(values[0], kind))
        if not found.count:
            found.first = self.rows
        found.count += 1
        if self.columns > 1:
            self.add(found, values[1])
        return False

    cdef group *of(self, key) except NULL:
        kept = self.others.get(key)
        if kept is None:
            kept = self.others[key] = PyBytes_FromStringAndSize(NULL, sizeof(group))
            (<group *>PyBytes_AsString(kept))[0] = group(0, 0, 0, False)
        return <group *>PyBytes_AsString(kept)

    cdef int add(self, group *found, sqlite3_value *value) except -1:
        """Add a number to the sum of a group."""
        cdef int kind = value_type(self.routines, value)
        cdef long long total
        if kind == SQLITE_NULL:
            return 0
        if kind == SQLITE_INTEGER and found.first not in self.sums:
            if not is_too_large(found.sum, value_int64(self.routines, value), &total):
                found.sum, found.has_sum = total, True
                return 0
        before = self.sums.get(found.first, found.sum if found.has_sum else 0)
        self.sums[found.first] = before + self.plain(value, kind)
        found.has_sum = True
        return 0

    cdef plain(self, sqlite3_value *value, int kind):
        """Return a number, None if it is NULL."""
        if kind == SQLITE_INTEGER:
            return value_int64(self.routines, value)
        return None if kind == SQLITE_NULL else value_double(self.routines, value)

    cdef list found(self):
        cdef uint32_t number = 0
        cdef text value
        groups = [
            self.row(key, <group *>PyBytes_AsString(kept)) for key, kept in self.others.items()
        ]
        for _ in range(self.texts.count):
            value = text_at(&self.texts, number)
            groups.append(
                self.row(
                    PyBytes_FromStringAndSize(value.start, value.size),
                    <group *>text_known(&self.texts, number),
                )
            )
            number = text_table_next(&self.texts, number)
        return groups

    cdef tuple row(self, key, const group *found):
        total = self.sums.get(found.first, found.sum) if found.has_sum else None
        return key, found.count, total
