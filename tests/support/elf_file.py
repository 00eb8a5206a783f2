"""ELF files as tests read them: sections, symbols, and what capstone makes of their code."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from capstone import CS_ARCH_X86, CS_MODE_64, Cs

ALLOC, EXECUTABLE, NO_BITS, SYMBOLS = 2, 4, 8, 2
CHUNK = 1 << 16
"""Bytes that capstone is given at once: it keeps everything about each instruction in memory."""
LONGEST = 15


class Section(NamedTuple):
    """One section; `offset` and `size` are in the file."""

    name: str
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


class Decoded(NamedTuple):
    """An instruction; `at` is its offset in the file, `shift` what makes an address of one."""

    at: int
    size: int
    mnemonic: str
    operands: str
    shift: int

    @property
    def verb(self) -> str:
        """The mnemonic without prefixes, as in `notrack jmp`."""
        return self.mnemonic.rpartition(" ")[2]

    @property
    def target(self) -> int | None:
        """The place that it branches to, if it names one."""
        if not NUMBER.fullmatch(self.operands) or not FLOW.fullmatch(self.verb):
            return None
        return int(self.operands, 16) - self.shift


FLOW = re.compile(r"j\w+|call|loop\w*|xbegin")
NUMBER = re.compile(r"(?:0x)?[0-9a-f]+")


@dataclass
class ElfFile:
    """A 64-bit file, read whole."""

    path: Path

    @cached_property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @cached_property
    def sections(self) -> list[Section]:
        start, size, count, names_index = self._section_header()
        rows = [struct.unpack_from("<IIQQQQI", self.data, start + i * size) for i in range(count)]
        names = rows[names_index][4] if rows else 0
        return [Section(self._string(names + row[0]), *row[1:]) for row in rows]

    @property
    def code(self) -> Iterator[Section]:
        """Yield the sections of code."""
        wanted = ALLOC | EXECUTABLE
        yield from (s for s in self.sections if s.flags & wanted == wanted and s.kind != NO_BITS)

    def bytes_of(self, section: Section) -> bytes:
        return self.data[section.offset : section.offset + section.size]

    def symbols(self) -> dict[str, int]:
        """Return name → offset in the file of what is defined in sections of code."""
        found = {}
        for table in (section for section in self.sections if section.kind == SYMBOLS):
            strings = self.sections[table.link].offset
            for at in range(table.offset, table.offset + table.size, 24):
                name, _, _, index, address, _ = struct.unpack_from("<IBBHQQ", self.data, at)
                if name and 0 < index < len(self.sections):
                    section = self.sections[index]
                    place = address - section.address + section.offset
                    found[self._string(strings + name)] = place
        return found

    def instructions(self) -> Iterator[Decoded]:
        """Yield what capstone reads in all code, one after the other; what it refuses it skips."""
        for section in self.code:
            code = self.bytes_of(section)
            for at, size, mnemonic, operands in disassemble(code, section.address):
                shift = section.address - section.offset
                yield Decoded(section.offset + at, size, mnemonic, operands, shift)

    def _section_header(self) -> tuple[int, int, int, int]:
        (start,) = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3A)
        return start, size, count, names

    def _string(self, at: int) -> str:
        return self.data[at : self.data.index(b"\0", at)].decode()


def disassemble(code: bytes, address: int = 0) -> Iterator[tuple[int, int, str, str]]:
    """Yield offset, bytes, mnemonic and operands of what capstone reads in `code`."""
    reader = Cs(CS_ARCH_X86, CS_MODE_64)
    reader.skipdata = True
    at = 0
    while at < len(code):
        start = at
        for where, size, mnemonic, operands in reader.disasm_lite(
            code[start : start + CHUNK + LONGEST], address + start
        ):
            at = where - address + size
            if mnemonic != ".byte":
                yield where - address, size, mnemonic, operands
            if at >= start + CHUNK:
                break
