"""What a program file names as its interpreter: after #!, or as PT_INTERP of ELF (elf(5))."""

from __future__ import annotations

import struct

from scopetrace.decode.paths import text

SCRIPT, ELF = b"#!", b"\x7fELF"
PT_INTERP = 3
CLASSES = {
    1: (struct.Struct("<28xI10xHH"), struct.Struct("<II8xI12x")),
    2: (struct.Struct("<32xQ14xHH"), struct.Struct("<I4xQ16xQ16x")),
}
"""Class of an ELF file → its header from its start (place, size and number of program headers), and
a program header (type, place and size of what it is about)."""


def interpreter_of(head: bytes) -> str:
    """Return the interpreter of a file that begins so; empty if it names none there."""
    if head.startswith(SCRIPT):
        words = head[len(SCRIPT) :].partition(b"\n")[0].split()
        return text(words[0]) if words else ""
    if not head.startswith(ELF):
        return ""
    try:
        return _of_elf(head)
    except (KeyError, struct.error, IndexError):
        return ""


def _of_elf(head: bytes) -> str:
    header, entry = CLASSES[head[len(ELF)]]
    place, size, count = header.unpack_from(head)
    for at in range(count):
        fields = entry.unpack_from(head, place + at * size)
        kind, start, length = fields[0], fields[1], fields[-1]
        if kind == PT_INTERP:
            return text(head[start : start + length].partition(b"\0")[0])
    return ""
