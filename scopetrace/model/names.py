"""Names of users, groups, signals, errors and limits. Numbers without a name stay numbers."""

from __future__ import annotations

import errno
import grp
import pwd
import resource
import signal
from functools import cache, lru_cache

from scopetrace.model.raw import RESULT_REFUSED


@cache
def user_name(uid: int) -> str:
    """Return the login name of a user, or the number as text if there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):
        return str(uid)


@cache
def group_name(gid: int) -> str:
    """Return the name of a group, or the number as text if there is none."""
    try:
        return grp.getgrgid(gid).gr_name
    except (KeyError, OverflowError):
        return str(gid)


@cache
def signal_name(number: int) -> str:
    """Return a signal's name as signal(7) has it: SIGTERM, SIGRTMIN+3; else `signal 99`."""
    first, last = int(signal.SIGRTMIN), int(signal.SIGRTMAX)
    if first < number < last:
        return f"SIGRTMIN+{number - first}"
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


MANUAL_NAMES = {errno.EDEADLK: "EDEADLK", errno.EOPNOTSUPP: "EOPNOTSUPP"}
"""Of errors with two names the one of the manual pages; `errno.errorcode` has the other."""


@lru_cache(maxsize=512)
def error_name(number: int) -> str:
    """Return an error's name as errno(3) has it, or the number as text if there is none.

    That of a call which a seccomp filter of the program's own refused is "seccomp".
    """
    if number == -RESULT_REFUSED:
        return "seccomp"
    return MANUAL_NAMES.get(number) or errno.errorcode.get(number) or str(number)


LIMITS = {
    number: name
    for name, number in vars(resource).items()
    if name.startswith("RLIMIT_") and name != "RLIMIT_OFILE"
}
"""The names of the limits of getrlimit(2)."""


@lru_cache(maxsize=1024)
def octal_digits(mode: int) -> int:
    """Return permissions as a number that reads like them: 0o644 becomes 644."""
    return (mode >> 9 & 7) * 1000 + (mode >> 6 & 7) * 100 + (mode >> 3 & 7) * 10 + (mode & 7)
