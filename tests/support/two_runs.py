"""Two sessions made by hand, and what differs between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from scopetrace.model.difference import Difference, SessionDiff
from scopetrace.model.event import Event
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.query import open_session
from scopetrace.store.sessions import SessionStore
from support.session_builder import SECOND, STARTED_NS, image

STOCK_CLASSES = r"""
scopetrace:
  pathclasses:
    interpreter: ['/lib/python[0-9.]+/']
    loader: ['\.so(\.[0-9]+)*$']
    system: ['^/(proc|sys|dev)(/|$)|/nscd(/|$)']
"""
"""Some of the rules of scope.yml."""


class Run(NamedTuple):
    """What one session holds."""

    events: Sequence[Event] = ()
    images: Sequence[Process] = (image(),)
    ends: Sequence[ProcessEnd] = ()
    cwd: str = "/home/ann"
    exit_code: int = 0

    def write(self, home: Path) -> Path:
        """Write the session and return its file."""
        writer = SessionStore(home).create(
            "python3",
            ("python3", "log.py"),
            pid=self.images[0].pid,
            started_ns=STARTED_NS,
            cwd=self.cwd,
            config=STOCK_CLASSES,
            host="box",
            recorder_pid=4_000_001,
        )
        for each in self.images:
            writer.add_process(each)
        writer.add_events(self.events)
        ended = {end.id for end in self.ends}
        for end in [*self.ends, *(ended_at(i.id) for i in self.images if i.id not in ended)]:
            writer.end_process(end)
        writer.finish(exit_code=self.exit_code, ended_ns=STARTED_NS + SECOND)
        return writer.path


def ended_at(number: int, seconds: float = 1, code: int | None = 0, **changes: Any) -> ProcessEnd:
    """Return how an image ended, so many seconds after the start of the session."""
    end = ProcessEnd(number, STARTED_NS + int(seconds * SECOND), code, None, False)
    return end._replace(**changes)


def child(number: int, *args: str, parent: int = 1, **changes: Any) -> Process:
    """Return a process that another one started to run a program."""
    facts = {"pid": 10_000 + number, "parent": parent, "proc": args[0], "exe": f"/bin/{args[0]}"}
    return image(number, cmd=" ".join(args), args=args, **{**facts, **changes})


def compared(
    home: Path, a: Run, b: Run, further: Iterable[Run] = (), **options: Any
) -> SessionDiff:
    """Write sessions and return how the first two differ."""
    with ExitStack() as stack:
        first, second, *more = [
            stack.enter_context(open_session(run.write(home))) for run in (a, b, *further)
        ]
        return first.diff(second, ignore_from=more, **options)


def found(home: Path, a: Run, b: Run, further: Iterable[Run] = (), **options: Any) -> list[Any]:
    """Return the differences as short tuples: change, kind, subject, a, b."""
    return [short(each) for each in compared(home, a, b, further, **options).differences]


def short(each: Difference) -> tuple[Any, ...]:
    return each.change, each.kind, each.subject, each.a, each.b
