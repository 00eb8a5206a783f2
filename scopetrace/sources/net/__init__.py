"""The source net: flows opened, closed and failed, and sockets that listen."""

from scopetrace.sources.net.source import NetSource as SOURCE

__all__ = ["SOURCE"]
