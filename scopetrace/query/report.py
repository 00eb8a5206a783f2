"""What a report is made of, read with the queries of `Session`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from scopetrace.model.event import EventRecord
from scopetrace.model.report import ReportInput
from scopetrace.query.session import Session

TEXT_TYPES = ("console", "file")
FIRST_TEXTS, LAST_TEXTS = 2000, 4000
FIRST_CHARACTERS, LAST_CHARACTERS = 500_000, 1_000_000
"""So many events with text, and characters, are read of both ends of a session."""
FAILURES = ("fs.error", "proc.error")
MOST_FAILURES = 1000
"""Of each kind."""
MOST_EXCHANGES = 3000
MOST_BODY_BYTES = 4096
"""So much of each body of a request or response is read."""


def read_report(session: Session, redact: bool = False) -> ReportInput:
    """Return what a report on the session as it is now is made of.

    With `redact`, secrets are taken out (`query.redact`).
    """
    texts, left = _texts(session)
    summary, start_up = session.summary(), session.start_up()
    found = ReportInput(
        summary=summary,
        start_up_flows=frozenset(flow.id for flow in summary.flows if start_up.has_flow(flow)),
        exchanges=list(islice(session.exchanges(MOST_BODY_BYTES), MOST_EXCHANGES)),
        texts=texts,
        texts_left=left,
        why=session.why(),
        failures=[
            event
            for source in FAILURES
            for event in session.events(source=source, last=MOST_FAILURES)
        ],
    )
    return _redacted(found) if redact else found


def _redacted(found: ReportInput) -> ReportInput:
    from scopetrace.query.redact import (
        redact_event,
        redact_exchange,
        redact_summary,
        redact_why,
    )

    return found._replace(
        summary=redact_summary(found.summary),
        exchanges=list(map(redact_exchange, found.exchanges)),
        texts=list(map(redact_event, found.texts)),
        why=redact_why(found.why),
        failures=list(map(redact_event, found.failures)),
    )


def _texts(session: Session) -> tuple[list[EventRecord], int]:
    """Return the first and the last events with text, and how many are between them."""
    first = list(_until_full(islice(session.events(sourcetype=TEXT_TYPES), FIRST_TEXTS)))
    after_id = first[-1].id if first else 0
    events = session.events(sourcetype=TEXT_TYPES, last=LAST_TEXTS, after_id=after_id)
    last, characters = deque[EventRecord](), 0
    for event in events:
        last.append(event)
        characters += len(event.text("message"))
        while characters > LAST_CHARACTERS and len(last) > 1:
            characters -= len(last.popleft().text("message"))
    between = session.count_events(TEXT_TYPES, after_id, last[0].id) if last else 0
    return [*first, *last], between


def _until_full(events: Iterable[EventRecord]) -> Iterator[EventRecord]:
    characters = 0
    for event in events:
        yield event
        characters += len(event.text("message"))
        if characters > FIRST_CHARACTERS:
            return
