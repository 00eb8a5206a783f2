"""A pipeline whose rows stay in memory: what a session would hold of hand-made records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scopetrace.config.load import check_config, load_config
from scopetrace.model.event import Event
from scopetrace.model.form import fields_of
from scopetrace.model.metric import Sample
from scopetrace.model.payload import Payload
from scopetrace.model.process import Process, ProcessEnd
from scopetrace.pipeline import Pipeline
from scopetrace.watch import Watch
from support.raw_builder import CALLS, Tracee

NO_VARIABLES = {"SCOPE_CONF_PATH": str(Path(__file__).parents[2] / "scopetrace/config/scope.yml")}


class MemoryWriter:
    """Keeps rows, in the order in which a session would get them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.processes: dict[int, Process] = {}
        self.ends: list[ProcessEnd] = []
        self.samples: list[Sample] = []
        self.payloads: list[Payload] = []

    def add_process(self, process: Process) -> None:
        assert process.id not in self.processes
        self.processes[process.id] = process

    def end_process(self, end: ProcessEnd) -> None:
        assert end.id in self.processes
        self.ends.append(end)

    def add_events(self, events: Sequence[Event]) -> None:
        assert all(event.process in self.processes for event in events)
        self.events.extend(event._replace(data=fields_of(event.data)) for event in events)

    def add_metrics(self, samples: Sequence[Sample]) -> None:
        assert all(sample.process in self.processes for sample in samples)
        self.samples.extend(samples)

    def add_payloads(self, payloads: Sequence[Payload]) -> None:
        assert all(payload.process in self.processes for payload in payloads)
        self.payloads.extend(payloads)


class Recording:
    """A pipeline, what it wrote and what it muted.

    `config` is the text of a scope.yml; None: the stock configuration.
    """

    def __init__(self, tracee: Tracee, tmp_path: Path, config: str | None = None) -> None:
        self.tracee = tracee
        self.writer = MemoryWriter()
        self.muted: list[int] = []
        self.pipeline = Pipeline(
            CALLS, Watch(_config(tmp_path, config)), "host", 0, self.writer, self.muted.append
        )

    def go(self) -> list[Event]:
        """Feed what the tracee did since the last time; return the events of that."""
        before = len(self.writer.events)
        self.pipeline.feed(self.tracee.take())
        return self.writer.events[before:]

    def finish(self) -> list[Event]:
        """As `go`, and end the session."""
        before = len(self.writer.events)
        self.pipeline.feed(self.tracee.take())
        self.pipeline.finish(self.tracee.now)
        return self.writer.events[before:]

    def of(self, *sources: str) -> list[Event]:
        """As `go`, but only events of these sources or sourcetypes."""
        return [e for e in self.go() if e.source in sources or e.sourcetype in sources]

    def data(self, source: str) -> dict[str, object]:
        """Return the data of the only event of a source, as `go` finds it."""
        (event,) = self.of(source)
        return event.data


def _config(tmp_path: Path, text: str | None):
    if text is None:
        return load_config(None, NO_VARIABLES)
    path = tmp_path / "scope.yml"
    path.write_text(text)
    return check_config(path)
