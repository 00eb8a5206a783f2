/*
 * scopetrace(1) as it is installed: executes the script beside it, scopetrace-python, with the variables of the
 * interpreter and of the dynamic linker called otherwise.
 *
 * PYTHONHOME, PYTHONMALLOC, LD_PRELOAD and the like are meant for the program that is recorded. An interpreter reads
 * them before any code of ours runs, and some keep it from starting. The program gets them under their own names, in
 * their places (scopetrace/recorder/command.py). What the interpreter may need to start or to find the package stays:
 *
 *  1. PYTHONPATH, if one of its folders has the package (`pip install --target`);
 *  2. PYTHONUSERBASE, if this file is in its bin (`pip install --user`);
 *  3. LD_LIBRARY_PATH, if one of its folders has the interpreter's library.
 *
 * Where the stack is too small for an interpreter, the program is executed instead, unrecorded. What setup.py takes
 * from the parser of the command line says where it stands: the FIRST_FLAGS before a command, RUN_OPTIONS and
 * RUN_SHORT_OPTIONS (getopt_long(3)), and the FIRST_WORDS that are no program.
 *
 * It is linked statically where that is possible: then nothing of LD_PRELOAD is loaded into it.
 */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define HELD_BACK "SCOPETRACE_HELD_BACK_" /* that of recorder/command.py */
#define SCRIPT "/scopetrace-python"

enum { CANNOT_EXECUTE = 126, NOT_FOUND, STACK_KIB = 128 };

static bool begins(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* The folder of this file, symbolic links followed, with room for SCRIPT. */
static bool own_folder(char folder[PATH_MAX])
{
    ssize_t length = readlink("/proc/self/exe", folder, PATH_MAX - sizeof SCRIPT);
    char *slash;

    if (length < 0)
        return false;
    folder[length] = 0;
    slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    return slash;
}

static bool has(const char *folder, size_t length, const char *pattern)
{
    char path[PATH_MAX];
    glob_t found = { 0 };

    snprintf(path, sizeof path, "%.*s%s", (int)length, folder, pattern);
    bool any = !glob(path, GLOB_NOSORT, NULL, &found);
    globfree(&found);
    return any;
}

/* Whether a file of this pattern is in one of the folders between colons. */
static bool any_has(const char *folders, const char *pattern)
{
    for (;; folders++) {
        size_t length = strcspn(folders, ":");
        if (length && has(folders, length, pattern))
            return true;
        folders += length;
        if (!*folders)
            return false;
    }
}

static bool is_user_base(const char *base, const char *folder)
{
    char path[PATH_MAX], real[PATH_MAX];

    snprintf(path, sizeof path, "%s/bin", base);
    return realpath(path, real) && !strcmp(real, folder);
}

static bool is_for_the_program(const char *variable, const char *folder)
{
    const char *value = strchr(variable, '=');

    if (!value || !(begins(variable, "PYTHON") || begins(variable, "LD_")))
        return false;
    if (begins(variable, "PYTHONPATH="))
        return !any_has(value + 1, "/scopetrace/__init__.py");
    if (begins(variable, "LD_LIBRARY_PATH="))
        return !any_has(value + 1, "/libpython*");
    if (begins(variable, "PYTHONUSERBASE="))
        return !is_user_base(value + 1, folder);
    return true;
}

/* The environment with what is meant for the program called otherwise; NULL without memory. */
static char **held_back(char **environment, const char *folder)
{
    size_t count = 0;
    char **changed;

    while (environment[count])
        count++;
    changed = calloc(count + 1, sizeof *changed);
    for (size_t i = 0; changed && i < count; i++) {
        changed[i] = environment[i];
        if (is_for_the_program(environment[i], folder) &&
            asprintf(&changed[i], HELD_BACK "%s", environment[i]) < 0)
            return NULL;
    }
    return changed;
}

/* With less the interpreter ends by SIGSEGV before any code of ours runs. */
static bool has_stack(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK_KIB * 1024;
}

static bool is_among(const char *word, const char *const *words)
{
    while (*words)
        if (!strcmp(word, *words++))
            return true;
    return false;
}

/* The program that is to be run, and its arguments; NULL if there is none. */
static char **find_program(int count, char **arguments)
{
    static const struct option options[] = { RUN_OPTIONS{ 0 } };
    static const char *const flags[] = { FIRST_FLAGS NULL }, *const others[] = { FIRST_WORDS NULL };
    const char *first;
    int option;

    for (; count > 1 && is_among(arguments[1], flags); count--)
        arguments++;
    first = count > 1 ? arguments[1] : "-";
    if (!strcmp(first, "run")) {
        arguments++;
        count--;
    } else if ((first[0] == '-' && strcmp(first, "--")) || is_among(first, others))
        return NULL;
    opterr = 0;
    while ((option = getopt_long(count, arguments, "+" RUN_SHORT_OPTIONS, options, NULL)) != -1)
        if (option == '?')
            return NULL;
    return optind < count ? arguments + optind : NULL;
}

static int run_unrecorded(char **program)
{
    sighandler_t handler = signal(SIGPIPE, SIG_IGN); /* standard error may be closed */

    fprintf(stderr, "scopetrace: it cannot run with a stack of less than %d KiB (ulimit -s)%s\n",
            STACK_KIB, program ? "; the program runs without being recorded" : "");
    if (!program)
        return CANNOT_EXECUTE;
    signal(SIGPIPE, handler);
    execvp(program[0], program);
    fprintf(stderr, "scopetrace: the program cannot be executed: %s\n", strerror(errno));
    return errno == ENOENT ? NOT_FOUND : CANNOT_EXECUTE;
}

int main(int count, char **arguments)
{
    char script[PATH_MAX], **changed;

    if (!has_stack())
        return run_unrecorded(find_program(count, arguments));
    if (own_folder(script)) {
        changed = held_back(environ, script);
        strcat(script, SCRIPT);
        if (changed)
            execve(script, arguments, changed);
        if (!changed || errno == E2BIG) /* no room for longer names */
            execve(script, arguments, environ);
    }
    fprintf(stderr, "scopetrace: %s cannot be executed: %s\n", strrchr(SCRIPT, '/') + 1,
            strerror(errno));
    return CANNOT_EXECUTE;
}
