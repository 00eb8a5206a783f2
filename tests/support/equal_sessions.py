"""What two recordings of one program have in common, whichever way its calls were made."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from scopetrace.model.event import EventRecord

CHANCE = re.compile("duration|pid|cpu|rss|fault|ppid|Id|port|inode")
"""Fields that differ between two runs: times, resources, numbers of processes and sockets."""
TEXT = {"console", "file"}


class ProcessFacts(NamedTuple):
    """What was recorded of one process."""

    events: list[tuple[str, dict[str, Any]]]
    """Its events in their order, but those of text and signals: when a signal comes is chance."""
    text: dict[str, str]
    """All it wrote to each file, the first to the last byte."""
    missing: dict[str, int]
    """How many bytes of that were not recorded."""


def facts_of(events: Iterable[EventRecord]) -> list[ProcessFacts]:
    """Return what was recorded of each process, in the order of their first events.

    How text is divided into events depends on time, since a line without its end waits for so long
    only. So it is put together again.
    """
    facts: dict[int, ProcessFacts] = {}
    for event in events:
        of_process = facts.setdefault(event.pid, ProcessFacts([], {}, {}))
        if event.sourcetype in TEXT:
            _add_text(of_process, event)
        elif event.source != "proc.signal":
            of_process.events.append((event.source, _lasting(event.data)))
    for of_process in facts.values():
        of_process.text.update({name: plain(text) for name, text in of_process.text.items()})
    return list(facts.values())


def _add_text(of_process: ProcessFacts, event: EventRecord) -> None:
    missing = event.data.get("missing", 0)
    assert isinstance(missing, int)
    of_process.text[event.source] = of_process.text.get(event.source, "") + event.text("message")
    of_process.missing[event.source] = of_process.missing.get(event.source, 0) + missing


def _lasting(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key: plain(value) if isinstance(value, str) else value
        for key, value in data.items()
        if not CHANCE.search(key)
    }


def plain(text: str) -> str:
    """Return text without numbers that may be those of processes."""
    return re.sub(r"\d{3,}", "N", text)
