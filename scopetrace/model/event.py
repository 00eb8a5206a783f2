"""Events: what a source made of an operation, and what the session file stores."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from scopetrace.model.fields import Scale
    from scopetrace.model.form import Data
    from scopetrace.model.json_value import Json


class Event(NamedTuple):
    """One event, on its way into the session file.

    `data` holds what scope.yml and `scopetrace events` show under "data". Paths and messages that
    are no UTF-8 carry their bytes as lone surrogates (`os.fsdecode`), so they can be restored.
    """

    time_ns: int
    """Unix time, ns: the session's monotonic clock plus one offset taken at its start."""
    process: int
    """Serial of the process image (`Process.id`)."""
    tid: int
    sourcetype: str
    """fs, file, console, proc, notice…"""
    source: str
    """fs.open, stdout, the path of a log file…"""
    channel: int
    """Shared by all events of one open file or flow: the ns it was opened at; 0: of neither."""
    data: Data


class EventRecord(NamedTuple):
    """One event as read back: an `Event` with its id and what its process was."""

    id: int
    time_ns: int
    sourcetype: str
    source: str
    host: str
    proc: str
    cmd: str
    pid: int
    tid: int
    uid: int
    gid: int
    username: str
    groupname: str
    channel: int
    data: dict[str, Json]
    args: tuple[str, ...] = ()
    """The arguments of its process, its name first."""
    tags: dict[str, str] = {}  # noqa: RUF012 (never changed: it stands for "none")
    """What the configuration says about every event of its process."""
    process: int = 0
    """Number of the process image (`Process.id`); 0: it could not be written."""

    def text(self, field: str) -> str:
        """Return a field of the data that is a text; empty: the event has none of that name."""
        value = self.data.get(field)
        return value if isinstance(value, str) else ""

    def integer(self, field: str) -> int:
        """Return a field of the data that is a whole number; 0: the event has none of that name."""
        value = self.data.get(field)
        return value if isinstance(value, int) else 0

    def value(self, name: str) -> Json:
        """Return a field of the data, a tag, or a field of the body; None if it has not got it.

        An underscore may stand for a hyphen, as in SQL; `duration_ms` and `duration_us` follow from
        `duration`.
        """
        if name in ("time", "_time"):
            return iso_time(self.time_ns) if name == "time" else self.time_ns // 1000 / 1_000_000
        for fields in (self.data, self.tags):
            for spelled in (name, name.replace("_", "-")):
                if spelled in fields:
                    return fields[spelled]
        if name == "args":
            return list(self.args)
        duration = self.data.get("duration")
        if name.startswith("duration_") and isinstance(duration, int):
            scale = _scales(self.source).get(name)
            return scale.of(duration) if scale else None
        found: Json = getattr(self, name) if name in self._fields else None
        return found


@lru_cache(maxsize=64)
def _scales(source: str) -> dict[str, Scale]:
    from scopetrace.model.fields import SOURCES, durations

    return next((durations(each) for each in SOURCES if each.name == source), {})


def iso_time(time_ns: int) -> str:
    """Return a Unix time in ns as the views have it: ISO 8601, UTC, to the microsecond."""
    second, rest = divmod(time_ns, 1_000_000_000)
    return f"{_iso_second(second)}.{rest // 1000:06}Z"


@lru_cache(maxsize=16)
def _iso_second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
