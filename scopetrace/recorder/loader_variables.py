"""Start again without the variables of the dynamic linker, which are meant for the program.

LD_PRELOAD, LD_LIBRARY_PATH and LD_AUDIT (ld.so(8)) load libraries into each process: into the
recorder as well, whose clock, files or SQLite would then be those of the program's libraries. So
the interpreter is executed once more, in the same process, with these variables called otherwise;
the program gets them under their own names, in their places
(`recorder.command.original_environment`). So it is with the variables of Python, which
launcher/scopetrace.c has called otherwise before the interpreter started.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from scopetrace.recorder.command import HELD_BACK, original_environment

VARIABLES = (b"LD_AUDIT", b"LD_LIBRARY_PATH", b"LD_PRELOAD")
SCRIPTS = ("scopetrace-python", "__main__.py")
"""Names of files that are the command. Other scripts that call it may not be started twice."""


def hold_back_loader_variables() -> None:
    """Start this process again if libraries may have been loaded that are meant for the program.

    If that fails (there is no room for longer names), it goes on with them.
    """
    names = [name for name in VARIABLES if os.environb.get(name) and not _is_own(name)]
    held = take_back()
    if held.intersection(VARIABLES) or not names or Path(sys.argv[0]).name not in SCRIPTS:
        return
    from scopetrace._engine import become

    command = [os.fsencode(argument) for argument in sys.orig_argv]
    environment = held_back(original_environment(), held.union(names))
    with suppress(OSError):
        become(os.fsencode(sys.executable), command, environment)


def held_back(environment: list[bytes], names: Collection[bytes]) -> list[bytes]:
    """Return an environment with variables of these names called otherwise, in their places."""
    return [
        HELD_BACK + variable if variable.partition(b"=")[0] in names else variable
        for variable in environment
    ]


def take_back() -> set[bytes]:
    """Give variables that were held back their own names, for what this process starts (a pager).

    Returns these names.
    """
    held = {name.removeprefix(HELD_BACK) for name in os.environb if name.startswith(HELD_BACK)}
    for name in held:
        os.environb[name] = os.environb.pop(HELD_BACK + name)
    return held


def _is_own(variable: bytes) -> bool:
    """Whether the interpreter's own library was found by a variable: it may need that."""
    folders = [Path(folder).resolve() for folder in os.environ[os.fsdecode(variable)].split(":")]
    mapped = Path("/proc/self/maps").read_text(errors="surrogateescape").splitlines()
    files = [Path(line.split(maxsplit=5)[-1]) for line in mapped]
    return any(file.name.startswith("libpython") and file.parent in folders for file in files)
