"""A call while it is shown: its memory by address, and how much of it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from scopetrace.syscalls.call import Abi, Call, Phase
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.rows import Row

LAST_ERROR = 4095
"""Results from -4095 to -1 are errors."""


class View:
    """What the functions that show arguments see of a call."""

    __slots__ = ("abi", "args", "call", "failed", "fd_names", "result", "strings", "verbose")

    def __init__(
        self, call: Call, strings: int, verbose: bool, fd_names: Mapping[int, str] | None
    ) -> None:
        self.call = call
        self.abi = Abi(call.abi)
        self.args: tuple[int, ...] = call.args
        self.result = call.result
        self.failed = call.result is None or -600 <= call.result < 0 or call.is_refused
        """Whether the call returned an error, so that nothing was filled."""
        self.strings = strings
        self.verbose = verbose
        self.fd_names = fd_names

    def peek(self, address: int, phase: Phase) -> tuple[bytes, bool]:
        """Return what was copied from an address on, and whether a fault ends it."""
        found, fault = b"", False
        for piece in self.call.memory:
            at = address - piece.address
            if piece.phase == phase and 0 <= at < len(piece.data) - len(found):
                found, fault = (piece.data[at:] if at else piece.data), piece.fault
        return found, fault

    def read(self, address: int, size: int, phase: Phase) -> bytes | None:
        """Return `size` bytes, or None if not all were copied or the call failed."""
        if phase is Phase.EXIT and self.failed:
            return None
        data, _ = self.peek(address, phase)
        return data[:size] if len(data) >= size else None

    def number(self, address: int, size: int, phase: Phase) -> int | None:
        """Return the unsigned number of `size` bytes at an address, or None."""
        data = self.read(address, size, phase)
        return None if data is None else int.from_bytes(data, "little")


Shown = Callable[[View, int], "str | None"]
"""Returns the text of a value, or None if the call has no such argument in this case."""
Function = TypeVar("Function", bound=Shown)
Decoded = Callable[[View, bytes], str]
"""Returns the text of bytes of memory."""


class Place(NamedTuple):
    """Where a value stands: the argument of a row, or a field of a structure."""

    row: Row | None
    kind: Kind
    abi: Abi
    argument: int = 0
    """Which argument of the row it is."""

    @property
    def phase(self) -> Phase:
        """When the memory is read."""
        return self.kind.phases[0]

    def position(self, parameter: int = 0) -> int:
        """Return which argument a parameter of the kind names."""
        assert self.row is not None, f"{self.kind.name} is a kind of arguments"
        return self.row.position(self.kind.params[parameter])


Maker = Callable[[Place], Shown]
MAKERS: dict[str, Maker] = {}
"""By the name of a kind: what makes the function that shows its values."""
DECODERS: dict[str, Decoded] = {}
"""By the name of a structure: what shows it, if not field by field."""


def makes(*kinds: str) -> Callable[[Maker], Maker]:
    """Register what makes the functions that show values of these kinds."""

    def register(maker: Maker) -> Maker:
        MAKERS.update(dict.fromkeys(kinds, maker))
        return maker

    return register


def shows(*kinds: str) -> Callable[[Function], Function]:
    """Register the function that shows values of these kinds."""

    def register(shown: Function) -> Function:
        MAKERS.update(dict.fromkeys(kinds, lambda place: shown))
        return shown

    return register


def decodes(*structures: str) -> Callable[[Decoded], Decoded]:
    """Register the function that shows these structures."""

    def register(decoded: Decoded) -> Decoded:
        DECODERS.update(dict.fromkeys(structures, decoded))
        return decoded

    return register
