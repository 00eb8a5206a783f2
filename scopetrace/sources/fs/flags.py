"""Flags of open(2), as people write them."""

from __future__ import annotations

import os

ACCESS = {os.O_RDONLY: "O_RDONLY", os.O_WRONLY: "O_WRONLY", os.O_RDWR: "O_RDWR"}

TWO_BITS = {"O_TMPFILE": os.O_TMPFILE, "O_SYNC": os.O_SYNC}
"""Flags that contain the bit of another, which is then not named."""

ONE_BIT = {
    "O_CREAT": os.O_CREAT,
    "O_EXCL": os.O_EXCL,
    "O_NOCTTY": os.O_NOCTTY,
    "O_TRUNC": os.O_TRUNC,
    "O_APPEND": os.O_APPEND,
    "O_NONBLOCK": os.O_NONBLOCK,
    "O_DSYNC": os.O_DSYNC,
    "O_ASYNC": os.O_ASYNC,
    "O_DIRECT": os.O_DIRECT,
    "O_LARGEFILE": os.O_LARGEFILE or 0o100000,
    "O_DIRECTORY": os.O_DIRECTORY,
    "O_NOFOLLOW": os.O_NOFOLLOW,
    "O_NOATIME": os.O_NOATIME,
    "O_CLOEXEC": os.O_CLOEXEC,
    "O_PATH": os.O_PATH,
}
"""On x86-64 the C library calls O_LARGEFILE 0; programs of other kinds do set its bit."""


def flag_names(flags: int) -> str:
    """Return O_RDONLY|O_CLOEXEC…; bits without a name come last, in hexadecimal."""
    access = flags & os.O_ACCMODE
    names = [ACCESS.get(access, "O_ACCMODE")]
    rest = flags & ~os.O_ACCMODE
    for name, bits in (*TWO_BITS.items(), *ONE_BIT.items()):
        if bits and rest & bits == bits:
            names.append(name)
            rest &= ~bits
    return "|".join([*names, hex(rest)] if rest else names)
