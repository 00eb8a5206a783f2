#pragma once

#include <stdint.h>

/* What is called of the SQLite library that Python's sqlite3 uses, without a header or a library at
 * build time. A run-time loadable extension (https://www.sqlite.org/loadext.html) is given the
 * library's functions as an array of pointers, struct sqlite3_api_routines. SQLite adds to its end
 * only, so that each function keeps its place. */

struct sqlite3;
struct sqlite3_stmt;

typedef void (*sqlite_routine)(void);

enum sqlite_place {
    SQLITE_BIND_BLOB = 2,
    SQLITE_BIND_DOUBLE = 3,
    SQLITE_BIND_INT64 = 5,
    SQLITE_BIND_NULL = 6,
    SQLITE_BIND_TEXT = 10,
    SQLITE_ERRMSG = 53,
    SQLITE_FINALIZE = 57,
    SQLITE_RESET = 77,
    SQLITE_STEP = 94,
    SQLITE_PREPARE_V2 = 116,       /* since 3.3.13 */
    SQLITE_EXTENDED_ERRCODE = 166, /* since 3.6.5 */
};

enum { SQLITE_OK = 0, SQLITE_DONE = 101 };

/* The connection that has just loaded this file, in this thread, and its functions. */
static __thread struct sqlite3 *loaded_db;
static __thread const sqlite_routine *loaded_routines;

/* Called by SQLite, which finds it by its name, when a connection loads this file. */
__attribute__((visibility("default"))) int sqlite3_extension_init(struct sqlite3 *db, char **error,
                                                                  const sqlite_routine *routines)
{
    (void)error;
    loaded_db = db;
    loaded_routines = routines;
    return SQLITE_OK;
}

/* A bound text or blob is not copied: it must last until the next step has been made. */
static int bind_text(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at,
                     const char *text, int size)
{
    typedef int call(struct sqlite3_stmt *, int, const char *, int, sqlite_routine);

    return ((call *)routines[SQLITE_BIND_TEXT])(statement, at, text, size, 0);
}

static int bind_blob(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at,
                     const char *bytes, int size)
{
    typedef int call(struct sqlite3_stmt *, int, const void *, int, sqlite_routine);

    return ((call *)routines[SQLITE_BIND_BLOB])(statement, at, bytes, size, 0);
}

static int bind_int64(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at,
                      int64_t value)
{
    typedef int call(struct sqlite3_stmt *, int, int64_t);

    return ((call *)routines[SQLITE_BIND_INT64])(statement, at, value);
}

static int bind_double(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at,
                       double value)
{
    typedef int call(struct sqlite3_stmt *, int, double);

    return ((call *)routines[SQLITE_BIND_DOUBLE])(statement, at, value);
}

static int bind_null(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at)
{
    typedef int call(struct sqlite3_stmt *, int);

    return ((call *)routines[SQLITE_BIND_NULL])(statement, at);
}

static int prepare(const sqlite_routine *routines, struct sqlite3 *db, const char *sql,
                   struct sqlite3_stmt **statement_out)
{
    typedef int call(struct sqlite3 *, const char *, int, struct sqlite3_stmt **, const char **);

    return ((call *)routines[SQLITE_PREPARE_V2])(db, sql, -1, statement_out, 0);
}

static int run_statement(const sqlite_routine *routines, struct sqlite3_stmt *statement, int place)
{
    typedef int call(struct sqlite3_stmt *);

    return ((call *)routines[place])(statement);
}

static int error_code(const sqlite_routine *routines, struct sqlite3 *db)
{
    typedef int call(struct sqlite3 *);

    return ((call *)routines[SQLITE_EXTENDED_ERRCODE])(db);
}

static const char *error_message(const sqlite_routine *routines, struct sqlite3 *db)
{
    typedef const char *call(struct sqlite3 *);

    return ((call *)routines[SQLITE_ERRMSG])(db);
}
