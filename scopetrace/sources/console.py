"""The source console: what programs write to the stdout and stderr that the session began with.

These are the files that fds 1 and 2 were then, by whatever fd they are written to later.
"""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.image import Image
from scopetrace.model.open_file import CONSOLE_NAMES, OpenFile
from scopetrace.source import Mode, Needs, Source, TextTarget


class ConsoleSource(Source):
    """Makes events of what is written to the session's first stdout and stderr."""

    sourcetype = "console"
    needs: ClassVar[Needs] = {
        name: {"close": Mode.ALL, "fd": Mode.ALL, "write": Mode.ALL}
        for name in CONSOLE_NAMES.values()
    }

    def text_target(self, image: Image, file: OpenFile) -> TextTarget | None:
        """Return the events that text becomes if `file` is the console and the rules want it."""
        name = file.console
        content = image.rules.content(self.sourcetype, name) if name else None
        return None if content is None else TextTarget(self.sourcetype, name, content)


SOURCE = ConsoleSource
