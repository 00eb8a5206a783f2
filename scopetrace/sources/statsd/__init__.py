"""The source statsd: metrics that programs send to a StatsD server."""

from scopetrace.sources.statsd.source import StatsdSource as SOURCE

__all__ = ["SOURCE"]
