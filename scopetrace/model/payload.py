"""Payloads: the bytes themselves that went through a connection, as the session file keeps them."""

from __future__ import annotations

from typing import NamedTuple


class Payload(NamedTuple):
    """Bytes of one direction of a flow that one process transferred at once."""

    time_ns: int
    """Unix time, ns."""
    process: int
    """Serial of the process image (`Process.id`)."""
    channel: int
    """`Flow.opened_ns` of the flow."""
    outgoing: bool
    """The program sent it."""
    data: bytes
    missing: int
    """Bytes that followed these and were not recorded."""
