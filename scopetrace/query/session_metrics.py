"""The metrics of a session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from scopetrace.errors import UsageError
from scopetrace.query.session_base import SessionBase, listed, sql_int

if TYPE_CHECKING:
    from scopetrace.model.metric import MetricRecord
    from scopetrace.query.metrics import MetricSettings


class MetricViews(SessionBase):
    """What is asked about metrics."""

    def metrics(
        self,
        name: str | Iterable[str] = (),
        pid: int | Iterable[int] = (),
        proc: str | Iterable[str] = (),
        last: int | None = None,
    ) -> Iterator[MetricRecord]:
        """Return the values of metrics that match, in the order in which they were recorded.

        Values of one filter are alternatives; all filters must match.

        Args:
            name: names ("net.tx"), globs ("fs.*") or prefixes ("fs.").
            pid: process ids.
            proc: programs by base name or glob.
            last: only the last so many of the matching ones, the oldest first.

        Raises:
            UsageError: the number is negative, or a name is unknown and the session has none such.
            SessionError: the file cannot be read.
        """
        from scopetrace.query.metrics import MetricFilter, check_metrics, read_metrics

        if last is not None and last < 0:
            raise UsageError("the number of last metrics cannot be negative")
        with self.reading():
            check_metrics(self._db, listed(name))
        wanted = MetricFilter(listed(name), tuple(map(sql_int, listed(pid))), listed(proc))
        return self._guarded(read_metrics(self._db, wanted, self.info.host, sql_int(last)))

    @property
    def metric_settings(self) -> MetricSettings:
        """The settings of metrics in its configuration."""
        from scopetrace.query.metrics import read_settings

        return read_settings(self.config)

    def _guarded(self, records: Iterator[MetricRecord]) -> Iterator[MetricRecord]:
        with self.reading():
            yield from records
