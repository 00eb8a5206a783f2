"""What the process that becomes the program tells its recorder, and how it is sent."""

from __future__ import annotations

import os

import msgspec


class Order(msgspec.Struct, frozen=True):
    """What to record, and how."""

    args: list[bytes]
    """The command and its arguments."""
    pid: int
    """The process that becomes it."""
    tid: int
    """Its thread that execs, and is to be traced."""
    config: bytes
    """As `pack_config` gives it."""
    config_text: str
    """The configuration as YAML, for the session file."""
    modes: dict[str, int]
    """What the engine does with each group of calls."""


def send_order(fd: int, order: Order) -> None:
    """Write an order to a pipe and close it."""
    with os.fdopen(fd, "wb") as pipe:
        pipe.write(msgspec.msgpack.encode(order))


def receive_order(fd: int) -> Order | None:
    """Read an order from a pipe to its end and close it; None if the sender gave up."""
    with os.fdopen(fd, "rb") as pipe:
        packed = pipe.read()
    return msgspec.msgpack.decode(packed, type=Order) if packed else None
