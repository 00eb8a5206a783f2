# What is shared by the modules that a connection of Python's sqlite3 loads (sqlite_routines.h).

from sqlite3 import OperationalError

cdef extern from "sqlite_routines.h":
    cdef struct sqlite3:
        pass
    cdef struct sqlite3_stmt:
        pass
    ctypedef void (*sqlite_routine)()
    enum:
        SQLITE_OK, SQLITE_FINALIZE, SQLITE_STEP
    sqlite3 *loaded_db
    const sqlite_routine *loaded_routines
    int prepare(const sqlite_routine *, sqlite3 *, const char *sql, sqlite3_stmt **statement_out)
    int run_statement(const sqlite_routine *, sqlite3_stmt *, int place)
    int error_code(const sqlite_routine *, sqlite3 *)
    const char *error_message(const sqlite_routine *, sqlite3 *)


cdef int load(db, str path) except -1:
    """Load the file of this module into a connection."""
    db.enable_load_extension(True)
    try:
        db.load_extension(path)
    finally:
        db.enable_load_extension(False)
    return 0


cdef object error_of(const sqlite_routine *routines, sqlite3 *db):
    """Return the last error of a connection, as sqlite3 would raise it."""
    cdef bytes message = error_message(routines, db)

    error = OperationalError(message.decode(errors="replace"))
    error.sqlite_errorcode = error_code(routines, db)
    return error
