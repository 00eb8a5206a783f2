"""The names of files in the data of an event."""

from __future__ import annotations

import json

from msgspec import DecodeError, Struct, convert, field
from msgspec.json import Decoder


class Names(Struct, frozen=True):
    """The names in the data of an event."""

    op: str = ""
    file: str = ""
    file_passed: str = ""
    file_new: str = ""
    file_target: str = ""
    exe: str = ""
    exchanged: bool | int = field(name="file_exchanged", default=False)

    @property
    def linked(self) -> str:
        """The file that got one more name; empty: none did, or the link is a symbolic one."""
        return "" if self.op.startswith("symlink") else self.file_target

    @property
    def all(self) -> set[str]:
        """The names of all files that it is about."""
        return {self.file or self.exe, self.file_new, self.linked} - {""}


_DECODE = Decoder(Names).decode


def decode_names(text: str | bytes) -> Names:
    """Return the names in the data of an event, from its JSON."""
    try:
        return _DECODE(text)
    except DecodeError:  # a lone surrogate in a name, which msgspec refuses
        return convert(json.loads(text), Names)
