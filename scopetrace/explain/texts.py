"""Read the texts about system calls, errors, and names of flags and values."""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
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


class Sentence(NamedTuple):
    """How a call is described: sentences.txt says what its columns are."""

    word: str
    """What the line of a call must have, or an empty text; `A+B`: both."""
    to_do: str
    """As in "Could not …"; empty: the sentence is whole though the call failed."""
    done: str
    what: str
    then: str


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


@cache
def names() -> dict[str, str]:
    """Return what names of flags and values mean: `O_CREAT` → create the file if…"""
    parted = (line.partition(" ") for line in lines_of("names.txt"))
    return {name: meaning for name, _, meaning in parted}


@cache
def sentences() -> dict[str, tuple[Sentence, ...]]:
    """Return how calls are described, by name: the first one whose word a call has is meant."""
    found: dict[str, list[Sentence]] = {}
    for line in lines_of("sentences.txt"):
        head, *columns = (column.strip(" ") for column in line.split("|"))
        calls_named, _, words = head.partition(" ")
        for name in calls_named.split(","):
            found.setdefault(name, []).extend(Sentence(word, *columns) for word in words.split(","))
    return {name: tuple(sorted(rows, key=_place)) for name, rows in found.items()}


def _place(sentence: Sentence) -> int:
    """Return where a sentence stands: those about failures first, the one without a word last."""
    return 2 if not sentence.word else 0 if not sentence.to_do else 1


def lines_of(name: str) -> Iterator[str]:
    """Yield the lines of a file that are no comments."""
    return (line for line in _text(name).splitlines() if line and not line.startswith("#"))


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
