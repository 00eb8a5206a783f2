"""Strings and bytes as strace quotes them, and numbers as it writes them."""

from __future__ import annotations

import re

SPECIAL = {
    ord('"'): '\\"',
    ord("\\"): "\\\\",
    ord("\n"): "\\n",
    ord("\t"): "\\t",
    ord("\r"): "\\r",
    ord("\v"): "\\v",
    ord("\f"): "\\f",
}
PLAIN = re.compile(rb"[ !#-\[\]-~]*")
"""Bytes that stand for themselves."""


def _one(data: bytes, position: int) -> str:
    byte = data[position]
    if byte in SPECIAL:
        return SPECIAL[byte]
    if 32 <= byte < 127:
        return chr(byte)
    digit_follows = data[position + 1 : position + 2] in (b"%d" % n for n in range(8))
    return f"\\{byte:03o}" if digit_follows else f"\\{byte:o}"


def escaped(data: bytes) -> str:
    """Return bytes between the quotes: what cannot be printed as \\n or in octal."""
    if PLAIN.fullmatch(data):
        return data.decode("ascii")
    return "".join(_one(data, position) for position in range(len(data)))


def name_in_brackets(name: str) -> str:
    """Return what a descriptor is, between < and >, which stand in octal inside."""
    shown = escaped(name.encode(errors="surrogateescape"))
    return shown.replace("<", "\\74").replace(">", "\\76")


def quoted(data: bytes) -> str:
    """Return bytes in quotes."""
    return f'"{escaped(data)}"'


def quoted_up_to(data: bytes, limit: int, more: bool = False) -> str:
    """Return at most `limit` bytes in quotes, and dots if there are more."""
    dots = "..." if more or len(data) > limit else ""
    return f'"{escaped(data[:limit])}"{dots}'


def hexed(value: int) -> str:
    """Return a number in hex, but zero as 0."""
    return f"{value:#x}" if value else "0"


def pointer(value: int) -> str:
    """Return an address in hex, or NULL."""
    return f"{value:#x}" if value else "NULL"


def octal(value: int) -> str:
    """Return a number in octal, as in C: 0644, 0."""
    return f"0{value:o}" if value else "0"


def permissions(value: int) -> str:
    """Return permissions in octal with at least three digits: 0644, 000."""
    return f"0{value:02o}" if value < 0o100 else f"0{value:o}"


def signed(value: int, bits: int) -> int:
    """Return the number that the lowest bits of a register are as a signed one."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
