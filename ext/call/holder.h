/* Who has a program file open for writing, or runs it: ETXTBSY. Who uses a mount: EBUSY. */
#ifndef SCOPE_CALL_HOLDER_H
#define SCOPE_CALL_HOLDER_H

#include <sys/types.h>

/*
 * Return the first process that may be seen, other than ourselves, which has the file `path` open for writing
 * or runs it, or which has a file or folder on the mount of `path`; 0: none. Takes milliseconds.
 */
pid_t find_holder(const char *path);
pid_t find_user(const char *path);

#endif
