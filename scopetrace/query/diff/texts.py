"""Console output and logs of two sessions: which lines only one of them has.

The order of lines and how often each was written depend on which process ran first, and are not
compared. Lines that differ in numbers alone have one form. In logs, a number that has many values
in lines of one form, in both sessions, counts or measures, and is not compared either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from scopetrace.model.difference import (
    CONTENT,
    LINE,
    LOG,
    ONLY_A,
    ONLY_B,
    Difference,
)
from scopetrace.query.diff.facts import Thing
from scopetrace.query.diff.names import PLACE, Form, Names

MANY_VALUES = 8
"""A number with more values than these is one that counts or measures; so many lines of one form
are named."""

Numbers = tuple[str, ...]
Forms = dict[str, set[Numbers]]
"""Form → the numbers of its lines."""
_NUMBERS = re.compile(r"(\d+)")
_SET = re.compile(r"\{([^{}:]+, [^{}:]+)\}")
"""A set as Python prints it, in an order that depends on the seed of its hashes."""


def compare_texts(
    a: Mapping[Thing, Mapping[str, None]],
    b: Mapping[Thing, Mapping[str, None]],
    names: tuple[Names, Names],
) -> Iterator[Difference]:
    """Yield the lines that differ, by stream and log."""
    lines_a, lines_b = _named(a, names[0]), _named(b, names[1])
    for thing in dict.fromkeys([*lines_a, *lines_b]):
        first, second = lines_a.get(thing, {}), lines_b.get(thing, {})
        forms_a = _forms((line for line in first if line not in second), names[0])
        forms_b = _forms((line for line in second if line not in first), names[1])
        if forms_a or forms_b:
            both = _forms((line for line in first if line in second), names[0])
            yield from _lines(thing, _apart(forms_a, forms_b, both, thing[0] == LOG))


def _named(
    lines: Mapping[Thing, Mapping[str, None]], names: Names
) -> dict[Thing, Mapping[str, None]]:
    """Return the lines by names of logs that hold for both sessions."""
    found: dict[Thing, Mapping[str, None]] = {}
    for (kind, source), texts in lines.items():
        thing = (kind, names.text(source))
        found[thing] = {**found[thing], **texts} if thing in found else texts
    return found


def _forms(lines: Iterable[str], names: Names) -> Forms:
    """Return lines by their forms; each form is worked out once for all lines of one shape."""
    shapes: dict[str, Form] = {}
    found: Forms = {}
    shown = names.numbers
    for line in lines:
        if "{" in line:
            line = _SET.sub(_in_order, line)
        pieces = _NUMBERS.split(line)  # text and digits in turn
        shape = PLACE.join(pieces[::2])
        form = shapes.get(shape)
        if form is None:
            form = shapes[shape] = names.form(line)
        found.setdefault(form.text, set()).add(
            tuple([shown[pieces[2 * at + 1]] for at in form.kept])
        )
    return found


def _in_order(match: re.Match[str]) -> str:
    return f"{{{', '.join(sorted(match[1].split(', ')))}}}"


def _apart(
    a: Forms, b: Forms, shared: Forms, is_log: bool
) -> Iterator[tuple[str, set[Numbers], set[Numbers]]]:
    """Yield form, and the numbers of those lines that are only in A, and only in B."""
    for form in dict.fromkeys([*a, *b]):
        both = shared.get(form, set())
        first, second = a.get(form, set()) | both, b.get(form, set()) | both
        if is_log and (varied := _varied(first, second)):
            first, second = _without(first, varied), _without(second, varied)
        yield form, first - second, second - first


def _varied(a: set[Numbers], b: set[Numbers]) -> set[int]:
    """Return the positions of numbers that have many values in both sessions."""
    if min(len(a), len(b)) <= MANY_VALUES:
        return set()
    columns = zip(zip(*a, strict=True), zip(*b, strict=True), strict=True)
    return {
        at
        for at, (first, second) in enumerate(columns)
        if min(len(set(first)), len(set(second))) > MANY_VALUES
    }


def _without(lines: set[Numbers], positions: set[int]) -> set[Numbers]:
    return {
        tuple(["N" if at in positions else number for at, number in enumerate(line)])
        for line in lines
    }


def _lines(
    thing: Thing, apart: Iterable[tuple[str, set[Numbers], set[Numbers]]]
) -> Iterator[Difference]:
    """Yield lines; two that differ in numbers alone are one difference."""
    kind, source = thing
    for form, first, second in apart:
        texts_a, texts_b = _filled(form, first), _filled(form, second)
        both = min(len(texts_a), len(texts_b))
        pairs = [*zip(texts_a[:both], texts_b[:both], strict=True)]
        yield from _some(Difference(CONTENT, kind, LINE, source, *pair) for pair in pairs)
        yield from _some(Difference(ONLY_A, kind, LINE, source, a=line) for line in texts_a[both:])
        yield from _some(Difference(ONLY_B, kind, LINE, source, b=line) for line in texts_b[both:])


def _some(lines: Iterable[Difference]) -> Iterator[Difference]:
    """Yield the first few lines of one form; the last of these stands for the rest."""
    lines = list(lines)
    rest = len(lines) - MANY_VALUES
    yield from lines[: MANY_VALUES - 1] if rest > 0 else lines
    if rest > 0:
        yield lines[MANY_VALUES - 1]._replace(stands_for=rest + 1)


def _filled(form: str, lines: set[Numbers]) -> list[str]:
    """Return the lines of a form with these numbers."""
    parts = form.split(PLACE)
    return sorted(
        "".join([parts[0], *map("".join, zip(numbers, parts[1:], strict=True))])
        for numbers in lines
    )
