"""What a report is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from scopetrace.model.event import EventRecord
from scopetrace.model.exchange import Exchange
from scopetrace.model.summary import Summary
from scopetrace.model.why import Why


class ReportInput(NamedTuple):
    """What a session has for a report; of what can be many, some."""

    summary: Summary
    start_up_flows: frozenset[int]
    """Ids of the flows that belong to the start-up of programs."""
    exchanges: Sequence[Exchange]
    """The first of them."""
    texts: Sequence[EventRecord]
    """Events with text, of the console and of logs: the first and the last of them."""
    texts_left: int
    """How many such events there are between these."""
    why: Why
    failures: Sequence[EventRecord]
    """The last events of calls that failed, of each kind."""
