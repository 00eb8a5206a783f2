"""Read the texts about system calls and errors."""

from __future__ import annotations

import errno
import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple


class CallText(NamedTuple):
    """What is said of a system call."""

    name: str
    does: str
    """A sentence."""
    returns: str
    """What it returns if it succeeds."""
    see: tuple[str, ...]
    """Calls that belong to it."""


class ErrorText(NamedTuple):
    """What is said of an error of system calls."""

    name: str
    number: int
    short: str
    """The text of strerror(3), in English."""
    means: str
    """A sentence."""
    look: str
    """Where its cause may be seen."""


@cache
def calls() -> dict[str, CallText]:
    """Return the texts of all calls, by name."""
    return {
        name: CallText(name, text["does"], text["returns"], tuple(text["see"]))
        for name, text in _read("calls.toml").items()
    }


@cache
def errors() -> dict[str, ErrorText]:
    """Return the texts of all errors, by name."""
    return {
        name: ErrorText(
            name, number := getattr(errno, name), os.strerror(number), text["means"], text["look"]
        )
        for name, text in _read("errors.toml").items()
    }


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
