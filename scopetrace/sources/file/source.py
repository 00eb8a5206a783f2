"""File: the text that programs write to files whose path a rule names, such as logs."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.source import ANY_PATH, Claim, Mode, Needs, Source


class FileSource(Source):
    """Claims files by their path."""

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

    def claim(self, image: Image, file: OpenFile) -> Claim | None:
        """Return a claim if a rule wants what is written to `file`, by any name that it has.

        A console that was there from the beginning has none, whatever it is; one that was opened
        by the name of a log, and that the rules do not want as the console, is that log.
        """
        if file.console and not file.passed:
            return None
        names = (*([file.path] if file.named else ()), *([file.passed] if file.passed else ()))
        content = image.rules.content(self.sourcetype, *names)
        return None if content is None else Claim(self.sourcetype, names[0], content)


SOURCE = FileSource
