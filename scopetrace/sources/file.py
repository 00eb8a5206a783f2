"""The source file: what programs write to files whose path a rule names, such as logs."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.source import ANY_PATH, Mode, Needs, Source, TextTarget


class FileSource(Source):
    """Makes events of what is written to files with certain paths."""

    sourcetype = "file"
    needs: ClassVar[Needs] = {
        ANY_PATH: {
            "open": Mode.ALL,
            "close": Mode.ALL,
            "fd": Mode.ALL,
            "write": Mode.ALL,
            "rename": Mode.ALL,
            "link": Mode.ALL,
        }
    }

    def text_target(self, image: Image, file: OpenFile) -> TextTarget | None:
        """Return the events that text becomes if a rule names `file`, by any name that it has.

        The console that the session began with has none, whatever file it is. One that was opened
        later by the name of a log, and that the rules do not want as the console, is that log.
        """
        if file.console and not file.passed:
            return None
        names = (*([file.path] if file.named else ()), *([file.passed] if file.passed else ()))
        content = image.rules.content(self.sourcetype, *names)
        return None if content is None else TextTarget(self.sourcetype, names[0], content)


SOURCE = FileSource
