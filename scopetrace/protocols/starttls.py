"""Which protocol may begin in the middle of another one: STARTTLS and the like.

No side sends TLS before the other has agreed to it, so its first byte is the first that a side
sends after the other side has sent something. Looking there needs no knowledge of how the protocol
asks for it. How long that is looked for is bounded: such an upgrade comes early.
"""

from __future__ import annotations

from typing import NamedTuple

TLS = ("TLS",)


class Upgrade(NamedTuple):
    """What a protocol may be upgraded to."""

    protocols: tuple[str, ...]
    turns: int
    """How often a side may begin to send until no upgrade will come any more."""


UPGRADES = {
    "": Upgrade(("TLS", "HTTP"), 8),  # NNTP, IRC, RDP, and whatever else is not recognised
    **dict.fromkeys(("SMTP", "IMAP", "POP3", "FTP", "XMPP", "LDAP", "Sieve"), Upgrade(TLS, 32)),
    "AMQP": Upgrade(TLS, 2),  # version 1.0, section 5.2.1
    "TLS": Upgrade(("HTTP",), 1),  # a server that expects HTTP says so to a client of TLS
}
"""Protocol, empty if none was recognised → what may follow it."""
