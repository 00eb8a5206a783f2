"""Names of peers: the name that a process asked DNS for, and was answered this address.

Only answers that the process itself received count (or the one it was forked from): another may
know the same address by another name.
"""

from __future__ import annotations

from collections.abc import Iterable

from scopetrace.model.flow import Address
from scopetrace.model.image import Image

MOST_NAMES = 1024
"""Addresses whose names are remembered of a process; beyond that the oldest is forgotten."""

MAPPED = "::ffff:"
"""How an IPv4 address begins in IPv6 (RFC 4291, section 2.5.5.2)."""


def learn_names(image: Image, name: str, addresses: Iterable[str]) -> None:
    """Remember that a process was answered these addresses for `name`."""
    known = image.peer_names
    for address in addresses:
        known.pop(address, None)
        known[address] = name
        if len(known) > MOST_NAMES:
            del known[next(iter(known))]


def name_of(image: Image, peer: Address | None) -> str:
    """Return the name by which a process looked an address up; empty if it did not."""
    if peer is None or not image.peer_names:
        return ""
    return image.peer_names.get(peer.host.removeprefix(MAPPED), "")
