"""The source notice: sentences about the recording itself. No rule refuses them."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.operation import Noticed
from scopetrace.source import Handlers, Needs, Source


class NoticeSource(Source):
    """Passes the notices of the decoder on to the outlet."""

    sourcetype = "notice"
    needs: ClassVar[Needs] = {"notice": {}}

    def handlers(self) -> Handlers:
        """Return the functions that handle operations."""
        return {Noticed: self._noticed}

    def _noticed(self, operation: Noticed) -> None:
        image, tid, time_ns, message, reason, count = operation
        self.outlet.notice(image, time_ns, tid, message, reason, count)


SOURCE = NoticeSource
