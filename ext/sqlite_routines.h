#pragma once

#include <stdint.h>

/* What is called of the SQLite library that Python's sqlite3 uses, without a header or a library at
 * build time. A run-time loadable extension (https://www.sqlite.org/loadext.html) is given the
 * library's functions as an array of pointers, struct sqlite3_api_routines. SQLite adds to its end
 * only, so that each function keeps its place. */

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_value;
struct sqlite3_context;

typedef void (*sqlite_routine)(void);
typedef void sql_function(struct sqlite3_context *, int count, struct sqlite3_value **values);

enum sqlite_place {
    SQLITE_BIND_INT64 = 5,
    SQLITE_BIND_POINTER = 219, /* since 3.20.0, as VALUE_POINTER */
    SQLITE_BIND_TEXT = 10,
    SQLITE_COLUMN_VALUE = 39,
    SQLITE_CREATE_FUNCTION = 45,
    SQLITE_CREATE_MODULE = 47,
    SQLITE_DECLARE_VTAB = 50,
    SQLITE_ERRMSG = 53,
    SQLITE_FINALIZE = 57,
    SQLITE_RESET = 77,
    SQLITE_RESULT_BLOB = 78,
    SQLITE_RESULT_DOUBLE = 79,
    SQLITE_RESULT_ERROR = 80,
    SQLITE_RESULT_INT64 = 83,
    SQLITE_RESULT_NULL = 84,
    SQLITE_RESULT_TEXT = 85,
    SQLITE_RESULT_VALUE = 89,
    SQLITE_STEP = 94,
    SQLITE_VALUE_BYTES = 103,
    SQLITE_VALUE_DOUBLE = 105,
    SQLITE_VALUE_INT64 = 107,
    SQLITE_VALUE_POINTER = 221,
    SQLITE_VALUE_TEXT = 109,
    SQLITE_VALUE_TYPE = 113,
    SQLITE_PREPARE_V2 = 116,        /* since 3.3.13 */
    SQLITE_CONTEXT_DB_HANDLE = 149, /* since 3.5.8 */
    SQLITE_EXTENDED_ERRCODE = 166,  /* since 3.6.5 */
};

enum { SQLITE_OK = 0, SQLITE_BUSY = 5, SQLITE_NOMEM = 7, SQLITE_ROW = 100, SQLITE_DONE = 101 };
enum { SQLITE_INTEGER = 1, SQLITE_FLOAT = 2, SQLITE_TEXT = 3, SQLITE_BLOB = 4, SQLITE_NULL = 5 };
enum { SQL_UTF8 = 1, SQL_DETERMINISTIC = 0x800, SQL_INNOCUOUS = 0x200000 };

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

/* A bound text is not copied: it must last until the next step has been made. */
static inline int bind_text(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at,
                            const char *text, int size)
{
    typedef int call(struct sqlite3_stmt *, int, const char *, int, sqlite_routine);

    return ((call *)routines[SQLITE_BIND_TEXT])(statement, at, text, size, 0);
}

static inline int bind_int64(const sqlite_routine *routines, struct sqlite3_stmt *statement, int at,
                             int64_t value)
{
    typedef int call(struct sqlite3_stmt *, int, int64_t);

    return ((call *)routines[SQLITE_BIND_INT64])(statement, at, value);
}

/* A pointer of a kind is no value that SQL could make up (https://www.sqlite.org/bindptr.html). */
static inline int bind_pointer(const sqlite_routine *routines, struct sqlite3_stmt *statement,
                               int at, void *pointer, const char *kind)
{
    typedef int call(struct sqlite3_stmt *, int, void *, const char *, sqlite_routine);

    return ((call *)routines[SQLITE_BIND_POINTER])(statement, at, pointer, kind, 0);
}

static inline int prepare(const sqlite_routine *routines, struct sqlite3 *db, const char *sql,
                          struct sqlite3_stmt **statement_out)
{
    typedef int call(struct sqlite3 *, const char *, int, struct sqlite3_stmt **, const char **);

    return ((call *)routines[SQLITE_PREPARE_V2])(db, sql, -1, statement_out, 0);
}

static inline int run_statement(const sqlite_routine *routines, struct sqlite3_stmt *statement,
                                int place)
{
    typedef int call(struct sqlite3_stmt *);

    return ((call *)routines[place])(statement);
}

static inline int error_code(const sqlite_routine *routines, struct sqlite3 *db)
{
    typedef int call(struct sqlite3 *);

    return ((call *)routines[SQLITE_EXTENDED_ERRCODE])(db);
}

static inline const char *error_message(const sqlite_routine *routines, struct sqlite3 *db)
{
    typedef const char *call(struct sqlite3 *);

    return ((call *)routines[SQLITE_ERRMSG])(db);
}

static inline int value_type(const sqlite_routine *routines, struct sqlite3_value *value)
{
    typedef int call(struct sqlite3_value *);

    return ((call *)routines[SQLITE_VALUE_TYPE])(value);
}

static inline int64_t value_int64(const sqlite_routine *routines, struct sqlite3_value *value)
{
    typedef int64_t call(struct sqlite3_value *);

    return ((call *)routines[SQLITE_VALUE_INT64])(value);
}

/* NULL: the value is no pointer of this kind. */
static inline void *value_pointer(const sqlite_routine *routines, struct sqlite3_value *value,
                                  const char *kind)
{
    typedef void *call(struct sqlite3_value *, const char *);

    return ((call *)routines[SQLITE_VALUE_POINTER])(value, kind);
}

static inline double value_double(const sqlite_routine *routines, struct sqlite3_value *value)
{
    typedef double call(struct sqlite3_value *);

    return ((call *)routines[SQLITE_VALUE_DOUBLE])(value);
}

/* A text, which ends with a NUL. NULL: there is none. */
static inline const char *value_text(const sqlite_routine *routines, struct sqlite3_value *value)
{
    typedef const char *call(struct sqlite3_value *);

    return ((call *)routines[SQLITE_VALUE_TEXT])(value);
}

/* Its size, after `value_text`. */
static inline int value_bytes(const sqlite_routine *routines, struct sqlite3_value *value)
{
    typedef int call(struct sqlite3_value *);

    return ((call *)routines[SQLITE_VALUE_BYTES])(value);
}

static inline void result_int64(const sqlite_routine *routines, struct sqlite3_context *context,
                                int64_t number)
{
    typedef void call(struct sqlite3_context *, int64_t);

    ((call *)routines[SQLITE_RESULT_INT64])(context, number);
}

static inline void result_error(const sqlite_routine *routines, struct sqlite3_context *context,
                                const char *message)
{
    typedef void call(struct sqlite3_context *, const char *, int);

    ((call *)routines[SQLITE_RESULT_ERROR])(context, message, -1);
}

/* A function of any number of arguments, which may give another result each time. */
static inline int create_function(const sqlite_routine *routines, struct sqlite3 *db,
                                  const char *name, sql_function *function)
{
    typedef int call(struct sqlite3 *, const char *, int, int, void *, sql_function *,
                     sql_function *, sqlite_routine);

    return ((call *)routines[SQLITE_CREATE_FUNCTION])(db, name, -1, SQL_UTF8, NULL, function, NULL,
                                                      NULL);
}
