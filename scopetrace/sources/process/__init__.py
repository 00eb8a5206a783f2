"""The source process: programs started, processes forked and ended, signals, failed calls."""

from scopetrace.sources.process.source import ProcessSource as SOURCE

__all__ = ["SOURCE"]
