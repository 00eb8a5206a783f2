"""Where another protocol may begin in the middle of one: each time that a side begins to speak.

Nobody speaks TLS before the other side has agreed to it (STARTTLS and its like), so its first byte
is the first that a side says after the other. To look there needs no knowledge of how the protocol
asks for it. How long it is looked is bounded: such a switch comes early.
"""

from __future__ import annotations

from typing import NamedTuple

TLS = ("TLS",)


class Switch(NamedTuple):
    """What may follow."""

    protocols: tuple[str, ...]
    turns: int
    """How often a side may begin to speak until it will not come any more."""


SWITCHES = {
    **dict.fromkeys(("SMTP", "IMAP", "POP3", "FTP", "XMPP", "LDAP", "Sieve"), Switch(TLS, 32)),
    "AMQP": Switch(TLS, 2),  # version 1.0, section 5.2.1
    "TLS": Switch(("HTTP",), 1),  # a server that expects HTTP says so to a client of TLS
}
"""Protocol → what may follow it."""
