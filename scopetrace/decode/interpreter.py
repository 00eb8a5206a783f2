"""What a program file needs: its interpreter (#!, or PT_INTERP of ELF) and its machine (elf(5))."""

from __future__ import annotations

import re
import struct

from scopetrace.decode.paths import text

SCRIPT, ELF = b"#!", b"\x7fELF"
BLANKS = re.compile(rb"[ \t\0]+")
"""What ends the name of a script's interpreter; of a line that ends as in DOS \\r belongs to it."""
PT_INTERP = 3
CLASSES = {
    1: (struct.Struct("<28xI10xHH"), struct.Struct("<II8xI12x")),
    2: (struct.Struct("<32xQ14xHH"), struct.Struct("<I4xQ16xQ16x")),
}
"""Class of an ELF file → its header from its start (place, size and number of program headers), and
a program header (type, place and size of what it is about)."""


MACHINE = {1: struct.Struct("<18xH"), 2: struct.Struct(">18xH")}
"""Byte order of an ELF file → where its machine is."""
MACHINES = {
    2: "SPARC",
    3: "i386",
    8: "MIPS",
    20: "PowerPC",
    21: "PowerPC 64",
    22: "S/390",
    40: "ARM",
    43: "SPARC V9",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    258: "LoongArch",
}
"""Names of machines (linux/elf-em.h)."""


def machine_of(head: bytes) -> str:
    """Return for which machine an ELF file is that begins so; empty if it is none."""
    if not head.startswith(ELF):
        return ""
    try:
        (number,) = MACHINE[head[len(ELF) + 1]].unpack_from(head)
    except (KeyError, struct.error, IndexError):
        return ""
    return MACHINES.get(number, f"machine {number}")


def interpreter_of(head: bytes) -> str:
    """Return the interpreter of a file that begins so; empty if it names none there."""
    if head.startswith(SCRIPT):
        words = BLANKS.split(head[len(SCRIPT) :].partition(b"\n")[0].strip(b" \t"))
        return text(words[0])
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
