"""What is recorded, sent elsewhere at once: to files, sockets, TLS servers.

The session file comes first: a line is sent only when the session has what it says, and whatever
becomes of a destination, neither the session nor the program feels it. What waits is bounded, and
what could not be sent is counted. Everything here is imported when there is a destination, and what
knows sockets (`dial`, `links`, `tls`) when there is something to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopetrace.config.schema import Config
    from scopetrace.forward.writer import ForwardingWriter
    from scopetrace.store.writer import SessionWriter


def forwarding_writer(config: Config, host: str, writer: SessionWriter) -> ForwardingWriter | None:
    """Return what writes and sends, or None if nothing is sent anywhere.

    Args:
        config: says where to.
        host: name of this machine.
        writer: of the session.
    """
    event, metric = config.event.transport, config.metric.transport
    if event.type == metric.type == "none":
        return None
    from functools import partial

    from scopetrace.forward.lines import Lines
    from scopetrace.forward.sender import Sender
    from scopetrace.forward.writer import ForwardingWriter

    lines = Lines(host, config.metric.format)
    return ForwardingWriter(
        writer,
        lines,
        None if event.type == "none" else Sender(event),
        None if metric.type == "none" else Sender(metric),
        partial(lines.start, config) if config.libscope.configevent else None,
    )
