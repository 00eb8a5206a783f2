"""What the engine copies of the program's memory at each call: rows of small numbers.

The rule: nothing here decides what a call means. The plan follows from the kinds of the arguments
(`rows.Argument.kind`), and the engine follows the plan without knowing any call. Copying too much
is harmless (an address that cannot be read gives no piece), so conditions here are few.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.layout import size_of
from scopetrace.syscalls.rows import Row, rows

NONE = 255
"""Said of `length` and `when`: no argument."""
DIRECT = -1
"""Said of `through`: the argument itself is the address."""
PATH_MAX = 4096
ADDRESS_MAX = 128
"""The size of struct sockaddr_storage."""
IOCTL_MAX = 16383
"""What the size field of an ioctl request holds."""


class Rule(IntEnum):
    """How many bytes one row copies, and from where."""

    FIXED = 1
    """`size` bytes."""
    STRING = 2
    """Up to and with the first NUL, at most `size` bytes."""
    LENGTH = 3
    """`args[length]` * `size` bytes, the argument read as an unsigned 64-bit number."""
    RESULT = 4
    """result * `size` bytes, if the result is positive."""
    LENGTH_AT = 5
    """As many bytes as the 32-bit number at address `args[length]` says, at most `size`."""
    STRINGS = 6
    """An array of pointers to strings that ends with NULL: a piece for the array (with its NULL),
    then one for each string; at most `size` bytes of each string."""
    IOVEC = 7
    """`args[length]` iovecs: a piece for the array, then one for each base. At exit the bases hold
    no more bytes together than the result says."""
    MSGHDR = 8
    """A struct msghdr: a piece for it, then for its name, its array of iovecs, each base, its
    control data. At exit the bases hold no more bytes together than the result says."""
    MMSGHDR = 9
    """As MSGHDR, for each of `args[length]` structs mmsghdr (at exit: as many as the result says;
    the bases of each hold msg_len bytes)."""
    BITS = 10
    """A set of `args[length]` bits in whole words of the ABI (select)."""
    POINTERS = 11
    """`args[length]` pointers: a piece for the array, then one of `size` bytes for each."""
    IOCTL = 12
    """As many bytes as the request in `args[length]` says (_IOC_SIZE), if its direction has
    _IOC_WRITE (at entry) or _IOC_READ (at exit)."""
    SOCKETCALL = 13
    """`size` bytes; then the plan of the i386 call that `args[0]` names (SYS_SOCKET…), with these
    words as its arguments, each piece with that call's argument + 8."""


class Copy(NamedTuple):
    """One thing to copy."""

    argument: int
    """Which argument is the address, counted from 0."""
    phase: Phase
    rule: Rule
    size: int = 0
    """Bytes, or bytes of one element: see the rule."""
    length: int = NONE
    """The argument that says how many elements there are."""
    through: int = DIRECT
    """If 0 or more: the address is the pointer (a word of the ABI) that stands at this offset of
    what the argument points to."""
    when: int = NONE
    """Copy only if `args[when] & mask == value`."""
    mask: int = 0xFFFFFFFF
    value: int = 0


PACKED = struct.Struct("=BBBBHBBhxxIII")
"""A row of the plan as the engine reads it, 24 bytes: abi, phase, argument, rule, number, length,
when, through, size, mask, value."""


class _Place(NamedTuple):
    """An argument for which copies are planned."""

    row: Row
    abi: Abi
    argument: int
    kind: Kind
    phase: Phase

    def copy(self, rule: Rule, size: int = 0, length: int = NONE) -> Copy:
        return Copy(self.argument, self.phase, rule, size, length)

    def counted(self, unit: int, by: str) -> Copy:
        """Copy as many units as `by` says: an argument, the result, or a number."""
        if by == "result":
            return self.copy(Rule.RESULT, unit)
        if by.isdigit():
            return self.copy(Rule.FIXED, unit * int(by))
        return self.copy(Rule.LENGTH, unit, self.row.position(by))

    def of(self, rule: Rule, size: int = 0) -> Copy:
        """Copy by a rule whose length is the argument that the kind names."""
        return self.copy(rule, size, self.row.position(self.kind.params[0]))


def _array(place: _Place) -> Copy:
    element, count = place.kind.params
    return place.counted(size_of(element, place.abi), count)


def _sockaddr(place: _Place) -> Copy:
    """An address, whose length stands in an argument, or where that points to."""
    length = place.row.position(place.kind.params[0])
    pointer = place.row.arguments[length].kind.phases
    rule = Rule.LENGTH_AT if pointer else Rule.LENGTH
    return place.copy(rule, ADDRESS_MAX if pointer else 1, length)


def _mmsghdr(place: _Place) -> Copy:
    return place.of(Rule.MMSGHDR)


COPIES: dict[str, Callable[[_Place], Copy]] = {
    "path": lambda place: place.copy(Rule.STRING, PATH_MAX),
    "string": lambda place: place.copy(Rule.STRING, PATH_MAX),
    "strings": lambda place: place.copy(Rule.STRINGS, PATH_MAX),
    "bytes": lambda place: place.counted(1, place.kind.params[0]),
    "array": _array,
    "sockaddr": _sockaddr,
    "iovec": lambda place: place.of(Rule.IOVEC),
    "msghdr": lambda place: place.copy(Rule.MSGHDR),
    "mmsghdr": _mmsghdr,
    "fd_set": lambda place: place.of(Rule.BITS),
    "pointers": lambda place: place.copy(
        Rule.POINTERS,
        size_of(place.kind.params[0], place.abi),
        place.row.position(place.kind.params[1]),
    ),
    "ioctl": lambda place: place.of(Rule.IOCTL, IOCTL_MAX),
}
"""Kinds whose size is not that of a structure."""


def _planned(place: _Place) -> Iterator[Copy]:
    special = COPIES.get(place.kind.name)
    if special:
        yield special(place)
    elif size := size_of(place.kind.name, place.abi):
        yield place.copy(Rule.FIXED, size)


def copies(row: Row, abi: Abi) -> tuple[Copy, ...]:
    """Return what is copied at a call, in order: all of its entry, then all of its exit."""
    places = [
        _Place(row, abi, position, argument.kind, phase)
        for phase in Phase
        for position, argument in enumerate(row.arguments)
        if phase in argument.kind.phases
    ]
    return tuple(copy for place in places for copy in _planned(place))


def _packed(abi: Abi, number: int, copy: Copy) -> bytes:
    return PACKED.pack(
        abi, copy.phase, copy.argument, copy.rule, number, copy.length, copy.when, copy.through,
        copy.size, copy.mask, copy.value,
    )  # fmt: skip


@cache
def plan() -> bytes:
    """Return all copies of all calls as the engine takes them: rows of `PACKED`.

    They are sorted by ABI and number; those of one call stand in the order in which they are made.
    """
    found = [
        (abi, number, copies(row, abi))
        for row in rows()
        for abi in Abi
        if (number := row.numbers[abi]) is not None
    ]
    found.sort(key=lambda entry: entry[:2])
    return b"".join(_packed(abi, n, copy) for abi, n, all_of in found for copy in all_of)
