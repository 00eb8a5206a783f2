"""Names of users and groups, asked once each."""

from __future__ import annotations

import grp
import pwd
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
