"""The fields of events, flows, files and metrics: which there are, their types, units and meanings.

Meanings are phrases in Markdown (`model/fields.py`); here they are plain text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scopetrace.model.fields import RECORDS, SOURCES, Field
from scopetrace.model.metric import METRICS

COLUMNS = ("source", "sourcetype", "field", "type", "unit", "meaning")
"""The names that JSON and CSV have."""
METRIC_NAMES = "metrics"
LEAST_MEANING = 24
"""Columns that a meaning has at least, however narrow the terminal is."""
_LINK = re.compile(r" ?\(\[[^\]]*\]\([^)]*\)\)|\[([^\]]*)\]\([^)]*\)")


class Group(NamedTuple):
    """The fields of one source, or of what one command prints."""

    name: str
    sourcetype: str
    """Empty for what a command prints."""
    meaning: str
    fields: tuple[Field, ...]


def groups() -> list[Group]:
    """Return all groups: the sources, then what commands print, then the metrics by name."""
    named = [Group(each.name, each.sourcetype, each.meaning, each.fields) for each in SOURCES]
    named += [Group(each.name, "", each.meaning, each.fields) for each in RECORDS]
    metrics = tuple(
        Field(name, metric.type, _tags(metric.tags), metric.unit)
        for name, metric in METRICS.items()
    )
    return [*named, Group(METRIC_NAMES, "", "The metrics, and the tags of each.", metrics)]


def _tags(tags: Sequence[str]) -> str:
    return f"tags: {' '.join(tags)}" if tags else "no tags of its own"


def matching(name: str) -> list[Group]:
    """Return the groups of a source, a sourcetype or a command, or whose names begin so."""
    known = groups()
    if not name:
        return known
    exact = [group for group in known if name in (group.name, group.sourcetype)]
    return exact or [group for group in known if group.name.startswith(name)]


def field_bodies(chosen: Iterable[Group]) -> Iterator[dict[str, str]]:
    """Yield each field as JSON has it."""
    for group in chosen:
        for field in group.fields:
            yield {
                "source": group.name,
                "sourcetype": group.sourcetype,
                "field": field.name,
                "type": field.type,
                "unit": field.unit,
                "meaning": plain(field.meaning),
            }


def plain(meaning: str) -> str:
    """Return a phrase in Markdown as text: without links to documents."""
    return _LINK.sub(r"\1", meaning).replace("`", "")


def field_lines(chosen: Sequence[Group], width: int | None) -> Iterator[str]:
    """Yield the lines of a table for each group, under its name and meaning.

    Args:
        chosen: the groups.
        width: of the terminal, to which meanings are wrapped; None: it is none.
    """
    for at, group in enumerate(chosen):
        if at:
            yield ""
        kind = f" ({group.sourcetype})" if group.sourcetype not in ("", group.name) else ""
        yield from _wrapped(f"{group.name}{kind}: ", plain(group.meaning), width, "  ")
        yield from _rows(group.fields, width)


def _rows(fields: Sequence[Field], width: int | None) -> Iterator[str]:
    names, types, units = (
        max(len(text) for text in column)
        for column in zip(*((f.name, f.type, f.unit) for f in fields), strict=True)
    )
    for field in fields:
        head = f"  {field.name:{names}}  {field.type:{types}}  "
        head += f"{field.unit:{units}}  " if units else ""
        yield from _wrapped(head, plain(field.meaning), width, " " * len(head))


def _wrapped(head: str, text: str, width: int | None, indent: str) -> list[str]:
    """Return `head` and a text behind it; lines after the first begin with `indent`."""
    if width is None:
        return [head + text]
    if width - len(indent) < LEAST_MEANING:
        indent = "      "
    return textwrap.wrap(
        head + text,
        width,
        subsequent_indent=indent,
        drop_whitespace=True,
        break_on_hyphens=False,
        replace_whitespace=False,
        expand_tabs=False,
    )
