"""Which entries of `custom` are about a process."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from scopetrace.config.schema import Filter


class ProcessFacts(NamedTuple):
    """What filters may ask about a process."""

    procname: str
    """Base name of its program."""
    cmd: str
    """Command line, arguments joined by spaces."""
    hostname: str
    username: str
    env: tuple[str, ...] = ()
    """NAME=value; empty unless `Watch.needs_environment`."""
    ancestors: tuple[str, ...] = ()
    """Base names of the programs of its parent, that one's parent…"""


def _has_variable(facts: ProcessFacts, wanted: str) -> bool:
    if "=" in wanted:
        return wanted in facts.env
    return any(variable.startswith(f"{wanted}=") for variable in facts.env)


_TESTS: dict[str, Callable[[ProcessFacts, str], bool]] = {
    "procname": lambda facts, wanted: facts.procname == wanted,
    "arg": lambda facts, wanted: wanted in facts.cmd,
    "hostname": lambda facts, wanted: facts.hostname == wanted,
    "username": lambda facts, wanted: facts.username == wanted,
    "env": _has_variable,
    "ancestor": lambda facts, wanted: wanted in facts.ancestors,
}
"""What each key of a filter asks; a test compares the keys with the schema."""


def is_about(wanted: Filter, facts: ProcessFacts) -> bool:
    """Return whether all keys of a filter that are given match; none given: it matches."""
    return all(
        test(facts, value)
        for key, test in _TESTS.items()
        if (value := getattr(wanted, key)) is not None
    )
