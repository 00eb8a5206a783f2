"""File: the text that programs write to files whose path a rule names, such as logs."""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile
from scopetrace.sources.base import ANY_PATH, Claim, Mode, Needs, Source


class FileSource(Source):
    """Claims files by their path."""

    sourcetype = "file"
    needs: ClassVar[Needs] = {
        ANY_PATH: {"open": Mode.ALL, "close": Mode.ALL, "fd": Mode.ALL, "write": Mode.ALL}
    }

    def claim(self, image: Image, file: OpenFile) -> Claim | None:
        """Return a claim if a rule wants what is written to `file`."""
        if file.console or not file.named:
            return None
        content = image.rules.content(self.sourcetype, file.path)
        return None if content is None else Claim(self.sourcetype, file.path, content)


SOURCE = FileSource
