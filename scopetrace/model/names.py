"""Names of users, groups and signals, asked once each. Numbers without a name stay numbers."""

from __future__ import annotations

import grp
import pwd
import signal
from functools import cache


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
