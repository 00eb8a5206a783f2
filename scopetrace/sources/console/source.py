"""Console: stdout and stderr are what fds 1 and 2 were when the session began, wherever they go."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.image import Image
from scopetrace.model.open_file import CONSOLE_NAMES, OpenFile
from scopetrace.source import Claim, Mode, Needs, Source


class ConsoleSource(Source):
    """Claims the session's first stdout and stderr."""

    sourcetype = "console"
    needs: ClassVar[Needs] = {
        name: {"close": Mode.ALL, "fd": Mode.ALL, "write": Mode.ALL}
        for name in CONSOLE_NAMES.values()
    }

    def claim(self, image: Image, file: OpenFile) -> Claim | None:
        """Return a claim if `file` is the console and the rules want it."""
        stream = file.console
        content = image.rules.content(self.sourcetype, stream) if stream else None
        return None if content is None else Claim(self.sourcetype, stream, content)


SOURCE = ConsoleSource
