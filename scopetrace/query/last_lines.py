"""The last lines of standard error, standard output or logs, as a terminal shows them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from itertools import islice

from scopetrace.model.shown import without_styles
from scopetrace.query.conditions import in_images
from scopetrace.query.few_events import few_events
from scopetrace.query.last_output import SHOWN

_TAIL_EVENTS = 200
"""Events that are read for them: a program may write a line byte by byte."""


STDOUT, STDERR, LOG = "stdout", "stderr", "log"


def last_lines(
    db: sqlite3.Connection,
    images: Collection[int] | None = None,
    since: int = 0,
    most: int = SHOWN,
    stream: str = STDERR,
) -> tuple[str, ...]:
    """Return the last lines, the oldest first, that are not empty, without colours.

    Args:
        db: the session.
        images: of these process images only; None: of all.
        since: only of events with a higher id.
        most: so many lines.
        stream: STDERR, STDOUT, or LOG: those of all logs.
    """
    of_images = "" if images is None else f" AND +{in_images(images)}"
    of_stream = (
        "sourcetype = 'file'"
        if stream == LOG
        else f"source = '{stream}' AND sourcetype = 'console'"
    )
    rows = db.execute(
        f"SELECT data FROM {few_events(db)} WHERE {of_stream} AND id > ?"
        f"{of_images} ORDER BY id DESC LIMIT {_TAIL_EVENTS}",
        (since,),
    ).fetchall()
    messages = (str(json.loads(data).get("message", "")) for (data,) in reversed(rows))
    text = without_styles("".join(messages))
    found = list(islice((line for line in _backwards(text) if line.strip()), most))
    return tuple(reversed(found))


def _backwards(text: str) -> Iterator[str]:
    """Yield the lines of a text, the last first, each without what a carriage return overwrote."""
    end, last = len(text), len(text)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
        yield (line if end == last else line.removesuffix("\r")).rpartition("\r")[2]
        end = start - 1
