# What takes the rows of a SELECT in C. They are given to it by an SQL function of this file, which
# the statement counts, so that SQLite goes through all rows in one step: what Python's sqlite3 does
# for each row takes longer than to read it.

include "loaded.pxi"

from cpython.bytes cimport PyBytes_AsString
from cpython.unicode cimport PyUnicode_AsUTF8String
from libc.stdint cimport int64_t

cdef extern from "sqlite_routines.h":
    cdef struct sqlite3_context:
        pass
    cdef struct sqlite3_value:
        pass
    ctypedef void sql_function(sqlite3_context *, int, sqlite3_value **) noexcept
    enum:
        SQLITE_BUSY, SQLITE_ROW
        SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB, SQLITE_NULL
    int create_function(const sqlite_routine *, sqlite3 *, const char *, sql_function *)
    int bind_text(const sqlite_routine *, sqlite3_stmt *, int at, const char *, int size)
    int bind_pointer(const sqlite_routine *, sqlite3_stmt *, int at, void *, const char *kind)
    int bind_int64(const sqlite_routine *, sqlite3_stmt *, int at, int64_t)
    int value_type(const sqlite_routine *, sqlite3_value *)
    int64_t value_int64(const sqlite_routine *, sqlite3_value *)
    void *value_pointer(const sqlite_routine *, sqlite3_value *, const char *kind)
    double value_double(const sqlite_routine *, sqlite3_value *)
    const char *value_text(const sqlite_routine *, sqlite3_value *)
    int value_bytes(const sqlite_routine *, sqlite3_value *)
    void result_error(const sqlite_routine *, sqlite3_context *, const char *)

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef enum:
    ROWS_PER_PAUSE = 1024  # then other threads and handlers of signals have their turn

cdef const char *TAKER = "taker"
"""The kind of the pointer by which a statement names who takes its rows: no value of SQL is one."""
cdef const sqlite_routine *library = NULL
"""Of the SQLite that all connections use."""


cdef class _Taker:
    cdef const sqlite_routine *routines
    cdef int columns
    """Values that a row has."""
    cdef object failure
    cdef bint is_ended
    cdef int64_t rows

    cdef bint take(self, sqlite3_value **values) except -1:
        """Take a row; return whether to end."""

    cdef bint pause(self) except -1:
        """Let others have their turn; return whether to end."""
        PyErr_CheckSignals()
        with nogil:
            pass
        return False

    cdef bint read(self, db, str path, bytes name, str sql, parameters) except -1:
        """Take the rows of a statement; return whether it were all.

        Args:
            db: the connection. The file of this module is loaded into it.
            path: of that file.
            name: of the function.
            sql: the statement, SELECT count(NAME(?1, ...)) FROM...
            parameters: the others: whole numbers and texts.

        Raises:
            sqlite3.Error: SQLite loads no extensions, or refuses the statement.
            AttributeError: this sqlite3 cannot load extensions.
        """
        cdef sqlite3_stmt *statement = NULL
        cdef sqlite3 *opened
        cdef int result
        global library
        load(db, path)
        opened, self.routines, library = loaded_db, loaded_routines, loaded_routines
        result = create_function(self.routines, opened, name, give)
        if result not in (SQLITE_OK, SQLITE_BUSY):  # it is there already, and in use
            raise error_of(self.routines, opened)
        if prepare(self.routines, opened, sql.encode(), &statement) != SQLITE_OK:
            raise error_of(self.routines, opened)
        try:
            bound = list(map(bindable, parameters))
            result = bind_pointer(self.routines, statement, 1, <void *>self, TAKER)
            for at, value in enumerate(bound, 2):
                if result != SQLITE_OK:
                    break
                if type(value) is int:
                    result = bind_int64(self.routines, statement, at, value)
                else:
                    result = bind_text(
                        self.routines, statement, at, PyBytes_AsString(value), len(value)
                    )
            if result != SQLITE_OK:
                raise error_of(self.routines, opened)
            result = run_statement(self.routines, statement, SQLITE_STEP)
            if self.failure is not None:
                raise self.failure
            if result != SQLITE_ROW and not self.is_ended:
                raise error_of(self.routines, opened)
            return not self.is_ended
        finally:
            run_statement(self.routines, statement, SQLITE_FINALIZE)


cdef void give(sqlite3_context *context, int count, sqlite3_value **values) noexcept:
    """Give the arguments after the first to the taker that it is; others may not use the function."""
    cdef void *named = value_pointer(library, values[0], TAKER) if count else NULL
    if named == NULL or count != 1 + (<_Taker>named).columns:
        result_error(library, context, b"this function is not for use in SQL")
        return
    cdef _Taker taker = <_Taker>named
    try:
        taker.rows += 1
        taker.is_ended = taker.take(values + 1) or (
            taker.rows % ROWS_PER_PAUSE == 0 and taker.pause()
        )
    except BaseException as failure:
        taker.failure, taker.is_ended = failure, True
    if taker.is_ended:
        result_error(taker.routines, context, b"ended")


cdef bindable(value):
    return PyUnicode_AsUTF8String(value) if type(value) is str else value
