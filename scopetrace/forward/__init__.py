"""Send events and metrics while they are recorded: to files, sockets and TLS servers.

A line is sent only after its row was committed to the session. A slow or broken destination delays
neither the session nor the program: the queue is bounded, and lines that could not be sent are
counted. The modules are imported when there is a destination, and those that open sockets
(`connect`, `connections`, `tls`) when there is a line to send.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopetrace.config.schema import Config
    from scopetrace.forward.writer import ForwardingWriter
    from scopetrace.store.writer import SessionWriter


def forwarding_writer(config: Config, host: str, writer: SessionWriter) -> ForwardingWriter | None:
    """Return a writer that also sends, or None if the configuration has no destination.

    Args:
        config: names the destinations.
        host: name of this machine.
        writer: the session's.
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
