#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json_field.h"
#include "sqlite_routines.h"

/* SQL functions that a connection gets, and which say the same as SQLite's own in less time:
 *
 * json_field(data, '$.name')  json_extract, of an object: only that field is looked at
 * has_bytes(data, text)       instr, but for the place
 *
 * What is not plain (json_field.h) is left to json_extract. */

enum { CODE_DIGITS = 4 };

/* The functions of the one library that Python's sqlite3 uses. */
static const sqlite_routine *sqlite_of_python;

static void result_text(const sqlite_routine *routines, struct sqlite3_context *context,
                        const char *text, size_t size, sqlite_routine release)
{
    typedef void call(struct sqlite3_context *, const char *, int, sqlite_routine);

    ((call *)routines[SQLITE_RESULT_TEXT])(context, text, (int)size, release);
}

static void result_null(const sqlite_routine *routines, struct sqlite3_context *context)
{
    typedef void call(struct sqlite3_context *);

    ((call *)routines[SQLITE_RESULT_NULL])(context);
}

/* The character that an escape stands for, and where the escape ends; 0: that is not one byte. */
static char unescaped(const char *at, const char **end_out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
    char digits[CODE_DIGITS + 1] = { 0 }, *rest;
    unsigned long code;

    *end_out = at + 2;
    if (letter)
        return meant[letter - letters];
    if (at[1] != 'u' || strnlen(at + 2, CODE_DIGITS) < CODE_DIGITS)
        return 0;
    memcpy(digits, at + 2, CODE_DIGITS);
    code = strtoul(digits, &rest, 16);
    *end_out = at + 2 + CODE_DIGITS;
    return !*rest && code < 128 ? (char)code : 0;
}

/* Give the string whose first byte is `at` as the result; false: it has an escape that is not one
 * byte, or no end. */
static bool give_string(const sqlite_routine *routines, struct sqlite3_context *context,
                        const char *at, const char *end)
{
    const char *stop = plain_end(at, end), *close;
    char *text, *to;

    if (stop < end && *stop == '"') {
        result_text(routines, context, at, (size_t)(stop - at), (sqlite_routine)-1);
        return true;
    }
    close = string_close(at, end);
    text = to = close ? malloc((size_t)(close - at) + 1) : NULL;
    while (to && at < close) {
        *to = *at == '\\' ? unescaped(at, &at) : *at++;
        if (!*to++) {
            free(text);
            return false;
        }
    }
    if (to)
        result_text(routines, context, text, (size_t)(to - text), (sqlite_routine)free);
    return to != NULL;
}

/* Give a number or word as the result; false: it is no integer, or a large one. */
static bool give_word(const sqlite_routine *routines, struct sqlite3_context *context,
                      const char *at, const char *end)
{
    int64_t number;

    if (word_end(at, end) - at == 4 && !memcmp(at, "null", 4)) {
        result_null(routines, context);
        return true;
    }
    if (!integer_close(at, end, &number))
        return false;
    result_int64(routines, context, number);
    return true;
}

/* Give what json_extract says of the arguments, or its error. */
static void ask_json_extract(const sqlite_routine *routines, struct sqlite3_context *context,
                             struct sqlite3_value **values)
{
    typedef struct sqlite3 *handle(struct sqlite3_context *);
    typedef void give_value(struct sqlite3_context *, struct sqlite3_value *);
    typedef struct sqlite3_value *column(struct sqlite3_stmt *, int);
    struct sqlite3 *db = ((handle *)routines[SQLITE_CONTEXT_DB_HANDLE])(context);
    struct sqlite3_stmt *statement = NULL;
    const char *text;
    int at;

    if (prepare(routines, db, "SELECT json_extract(?, ?)", &statement) == SQLITE_OK) {
        for (at = 0; at < 2; at++) {
            text = value_text(routines, values[at]);
            if (text)
                bind_text(routines, statement, at + 1, text, value_bytes(routines, values[at]));
        }
        if (run_statement(routines, statement, SQLITE_STEP) == SQLITE_ROW)
            ((give_value *)routines[SQLITE_RESULT_VALUE])(
                context, ((column *)routines[SQLITE_COLUMN_VALUE])(statement, 0));
        else
            result_error(routines, context, error_message(routines, db));
    }
    run_statement(routines, statement, SQLITE_FINALIZE);
}

static void json_field(struct sqlite3_context *context, int count, struct sqlite3_value **values)
{
    const sqlite_routine *routines = sqlite_of_python;
    const char *data = value_text(routines, values[0]), *path = value_text(routines, values[1]);
    const char *at, *end;
    bool is_given;

    (void)count;
    end = data ? data + value_bytes(routines, values[0]) : NULL;
    at = data && path && !strncmp(path, "$.", 2) ? find_field(data, end, path + 2, strlen(path + 2))
                                                 : NULL;
    if (at == end)
        return; /* NULL */
    is_given = at && (*at == '"' ? give_string(routines, context, at + 1, end)
                                 : give_word(routines, context, at, end));
    if (!is_given)
        ask_json_extract(routines, context, values);
}

static void has_bytes(struct sqlite3_context *context, int count, struct sqlite3_value **values)
{
    const sqlite_routine *routines = sqlite_of_python;
    const char *data = value_text(routines, values[0]), *text = value_text(routines, values[1]);

    (void)count;
    if (data && text)
        result_int64(routines, context,
                     memmem(data, (size_t)value_bytes(routines, values[0]), text,
                            (size_t)value_bytes(routines, values[1])) != NULL);
}

/* Add the functions to the connection that has just loaded this file; return SQLite's result. */
static int add_sql_functions(void)
{
    typedef int call(struct sqlite3 *, const char *, int, int, void *, sql_function *,
                     sql_function *, sqlite_routine);
    call *create = (call *)loaded_routines[SQLITE_CREATE_FUNCTION];
    int flags = SQL_UTF8 | SQL_DETERMINISTIC | SQL_INNOCUOUS;
    int result;

    sqlite_of_python = loaded_routines;
    result = create(loaded_db, "json_field", 2, flags, NULL, json_field, NULL, NULL);
    return result ? result : create(loaded_db, "has_bytes", 2, flags, NULL, has_bytes, NULL, NULL);
}
