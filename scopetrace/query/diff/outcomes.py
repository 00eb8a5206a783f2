"""How things went that may fail: connections, requests, answers, names, calls of two sessions.

Each is known by its name and by all its results together, so that neither the order nor the number
of requests matters.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from scopetrace.model.difference import (
    CONTENT,
    ONLY_A,
    ONLY_B,
    PEER,
    PORT,
    PRESENCE,
    RESULT,
    STATUS,
    Difference,
)
from scopetrace.model.file_record import OWN
from scopetrace.query.diff.facts import Sizes, Thing
from scopetrace.query.diff.names import Names
from scopetrace.query.path_classes import PathClasses

MOST_SIZES = 3
"""Sizes of one thing in one session that are compared with those of another."""


def compare_outcomes(
    a: Mapping[Thing, Collection[str]],
    b: Mapping[Thing, Collection[str]],
    names: tuple[Names, Names],
    classes: PathClasses,
) -> Iterator[Difference]:
    """Yield what differs; `classes` tell which unix sockets belong to start-up, as nscd's."""
    results_a, results_b = _named(a, names[0]), _named(b, names[1])
    for thing in dict.fromkeys([*results_a, *results_b]):
        first, second = results_a.get(thing), results_b.get(thing)
        if first == second:
            continue
        kind, subject = thing
        change, aspect = RESULT, STATUS
        if first is None or second is None:
            change, aspect = (ONLY_B if first is None else ONLY_A), PRESENCE
        yield Difference(
            change, kind, aspect, subject, _together(first), _together(second),
            path_class=_class_of(thing, classes),
        )  # fmt: skip


def compare_sizes(a: Sizes, b: Sizes, names: tuple[Names, Names]) -> Iterator[Difference]:
    """Yield which answers were of another length, and how much more or less a peer sent or got.

    What has more than a few sizes in one session is different each time.
    """
    sizes_a, sizes_b = _sized(a, names[0]), _sized(b, names[1])
    for (thing, aspect), first in sizes_a.items():
        second = sizes_b.get((thing, aspect), first)
        if first != second and max(len(first), len(second)) <= MOST_SIZES:
            yield Difference(CONTENT, thing[0], aspect, thing[1], max(first), max(second))


def _sized(sizes: Sizes, names: Names) -> Sizes:
    found: Sizes = {}
    for ((kind, subject), aspect), values in sizes.items():
        found.setdefault(((kind, names.text(subject)), aspect), set()).update(values)
    return found


def _named(things: Mapping[Thing, Collection[str]], names: Names) -> dict[Thing, set[str]]:
    found: dict[Thing, set[str]] = {}
    for (kind, subject), results in things.items():
        found.setdefault((kind, names.text(subject)), set()).update(results)
    return found


def _together(results: Collection[str] | None) -> str | None:
    return None if results is None else ", ".join(sorted(results))


def _class_of(thing: Thing, classes: PathClasses) -> str:
    kind, subject = thing
    return classes.of(subject) if kind in (PEER, PORT) and subject.startswith("/") else OWN
