"""Strings, buffers and what they make up: paths, vectors, lists of strings, folders."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import pointer, quoted, quoted_up_to, signed
from scopetrace.syscalls.structures import counted
from scopetrace.syscalls.view import Place, Shown, View, makes

PATH_MAX = 4096


def string_at(view: View, address: int, phase: Phase, limit: int) -> str:
    """Return the string at an address in quotes, or the address if it was not copied."""
    data, fault = view.peek(address, phase)
    text, end, _ = data.partition(b"\0")
    if not data or (not end and fault and len(text) <= limit):
        return pointer(address)
    return quoted_up_to(text, limit, more=not end)


@makes("path", "outpath", "string")
def _string(place: Place) -> Shown:
    """A string; a path is shown whole."""
    phase, is_path = place.phase, place.kind.name != "string"

    def shown(view: View, address: int) -> str:
        if phase is Phase.EXIT and view.failed:
            return pointer(address)
        return string_at(view, address, phase, PATH_MAX if is_path else view.strings)

    return shown


def buffer_at(view: View, address: int, size: int, phase: Phase) -> str:
    """Return the beginning of a buffer in quotes, or its address if it was not copied."""
    if not address or (phase is Phase.EXIT and view.failed):
        return pointer(address)
    if not size:
        return '""'
    data, fault = view.peek(address, phase)
    shown = data[: min(size, view.strings)]
    if not data or (fault and len(shown) < min(size, view.strings)):
        return pointer(address)
    return quoted_up_to(shown, view.strings, more=size > len(shown))


@makes("bytes")
def _bytes(place: Place) -> Shown:
    by, phase = place.kind.params[0], place.phase
    return lambda view, address: buffer_at(view, address, counted(view, place, by), phase)


@makes("random")
def _random(place: Place) -> Shown:
    """Bytes without meaning, which are shown in hex."""

    def shown(view: View, address: int) -> str:
        size = min(view.result or 0, view.strings)
        data = view.read(address, size, Phase.EXIT) if size else None
        if data is None:
            return pointer(address) if view.failed or not address else '""'
        text = "".join(f"\\x{byte:02x}" for byte in data)
        return f'"{text}"{"..." if (view.result or 0) > size else ""}'

    return shown


class Pointers(NamedTuple):
    """An array of pointers up to NULL."""

    found: list[int]
    ended: bool
    """Whether the NULL was seen."""
    fault_at: int
    """The address of the first pointer that could not be read; 0: it is not known of any."""


def pointers(view: View, address: int, phase: Phase) -> Pointers:
    """Return the pointers of an array up to NULL."""
    word = view.abi.word
    data, fault = view.peek(address, phase)
    found = [
        int.from_bytes(data[at : at + word], "little")
        for at in range(0, len(data) - word + 1, word)
    ]
    end = found.index(0) if 0 in found else len(found)
    ended = end < len(found)
    return Pointers(found[:end], ended, address + end * word if fault and not ended else 0)


def _rest(fault_at: int) -> str:
    """Return what stands for elements that are not shown."""
    return f"... /* {pointer(fault_at)} */" if fault_at else "..."


def strings_at(view: View, address: int) -> str:
    """Return a list of strings in brackets."""
    found, ended, fault_at = pointers(view, address, Phase.ENTRY)
    if not found and not ended:
        return pointer(address)
    limit = len(found) if view.verbose else view.strings
    parts = [string_at(view, each, Phase.ENTRY, view.strings) for each in found[:limit]]
    if len(found) > limit or fault_at:
        parts.append(_rest(fault_at if len(found) <= limit else 0))
    return f"[{', '.join(parts)}]"


@makes("strings")
def _strings(place: Place) -> Shown:
    return strings_at


@makes("envp")
def _environment(place: Place) -> Shown:
    """The environment: in short only how many variables there are."""

    def shown(view: View, address: int) -> str:
        found, ended, fault_at = pointers(view, address, Phase.ENTRY)
        were_copied = found and view.peek(found[0], Phase.ENTRY)[0]
        if (view.verbose and were_copied) or not (found or ended):
            return strings_at(view, address)
        more = "" if ended or fault_at else "+"
        count = f"{len(found)}{more} var{'' if len(found) == 1 and not more else 's'}"
        end = ", unterminated" if fault_at else ""
        return f"{pointer(address)} /* {count}{end} */"

    return shown


def vector_at(view: View, address: int, count: int, phase: Phase, total: int | None) -> str:
    """Return iovecs in brackets; the bases of all together hold `total` bytes, None: all."""
    each = 2 * view.abi.word
    if not count:
        return "[]" if address else "NULL"
    data, fault = view.peek(address, Phase.ENTRY if total is None else phase)
    limit = count if view.verbose else min(count, view.strings)
    parts = []
    for start in range(0, min(len(data) // each, limit) * each, each):
        base, size = struct.unpack_from("<QQ" if each == 16 else "<II", data, start)
        there = size if total is None else min(size, total)
        total = None if total is None else total - there
        text = buffer_at(view, base, there, phase) if there or size == 0 else '""'
        parts.append(f"{{iov_base={text}, iov_len={size}}}")
    if not parts:
        return pointer(address)
    if len(parts) < count:
        parts.append(_rest(address + len(parts) * each if fault and len(parts) < limit else 0))
    return f"[{', '.join(parts)}]"


@makes("iovec")
def _vector(place: Place) -> Shown:
    count, phase = place.position(), place.kind.phases[-1]

    def shown(view: View, address: int) -> str:
        if phase is Phase.EXIT and view.failed:
            return ranges_at(view, address, view.args[count])
        total = None if phase is Phase.ENTRY else view.result
        return vector_at(view, address, view.args[count], phase, total)

    return shown


@makes("ranges")
def _ranges(place: Place) -> Shown:
    """Iovecs of another process, whose bytes are not there."""
    count = place.position()
    return lambda view, address: ranges_at(view, address, view.args[count])


def ranges_at(view: View, address: int, elements: int) -> str:
    """Return iovecs in brackets with the addresses of their bases."""
    word = view.abi.word
    data = view.read(address, elements * 2 * word, Phase.ENTRY) if address else None
    if data is None:
        return pointer(address)
    return f"[{', '.join(_range(data, at, word) for at in range(0, len(data), 2 * word))}]"


def _range(data: bytes, at: int, word: int) -> str:
    base = int.from_bytes(data[at : at + word], "little")
    size = int.from_bytes(data[at + word : at + 2 * word], "little")
    return f"{{iov_base={pointer(base)}, iov_len={size}}}"


def _entries(data: bytes, head: int, length_at: int) -> Iterator[bytes]:
    """Yield the entries of a folder; each says how long it is."""
    while len(data) >= head:
        size = int.from_bytes(data[length_at : length_at + 2], "little")
        if size < head or size > len(data):
            return
        yield data[:size]
        data = data[size:]


def _entry64(view: View, data: bytes) -> str:
    inode, offset = (int.from_bytes(data[at : at + 8], "little") for at in (0, 8))
    name = quoted(data[19:].partition(b"\0")[0])
    kind = name_set("dirtype").value(data[18])
    return (
        f"{{d_ino={inode}, d_off={signed(offset, 64)}, d_reclen={len(data)}, d_type={kind}, "
        f"d_name={name}}}"
    )


def _entry(view: View, data: bytes) -> str:
    word = 4 if view.abi.word == 4 and view.abi == 1 else 8
    inode, offset = (int.from_bytes(data[at : at + word], "little") for at in (0, word))
    name = quoted(data[2 * word + 2 :].partition(b"\0")[0])
    kind = name_set("dirtype").value(data[-1])
    return f"{{d_ino={inode}, d_off={offset}, d_reclen={len(data)}, d_name={name}, d_type={kind}}}"


def _folder(view: View, address: int, *, wide: bool) -> str:
    if view.failed:
        return pointer(address)
    size = view.result or 0
    head = (16 if view.abi.word == 8 or view.abi == 2 else 8) + (3 if wide else 2)
    length_at = 16 if wide or view.abi != 1 else 8
    data = view.peek(address, Phase.EXIT)[0][:size] if size else b""
    if size and not data:
        return pointer(address)
    found, more = list(_entries(data, 19 if wide else head, length_at)), len(data) < size
    if not view.verbose:
        count = f"{len(found)}{'+' if more else ''}"
        return f"{pointer(address)} /* {count} entr{'y' if count == '1' else 'ies'} */"
    one = _entry64 if wide else _entry
    parts = [one(view, entry) for entry in found]
    return f"[{', '.join([*parts, '...'] if more else parts)}]"


@makes("dirents", "dirents64")
def _dirents(place: Place) -> Shown:
    return partial(_folder, wide=place.kind.name == "dirents64")


@makes("msgbuf")
def _message(place: Place) -> Shown:
    """A message of msgsnd(2): its type, then its text."""
    by, phase = place.kind.params[0], place.phase

    def shown(view: View, address: int) -> str:
        word = 4 if view.abi == 1 else 8
        number = view.number(address, word, phase)
        if number is None:
            return pointer(address)
        text = buffer_at(view, address + word, counted(view, place, by), phase)
        return f"{{mtype={signed(number, 8 * word)}, mtext={text}}}"

    return shown
