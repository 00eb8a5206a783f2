"""The source fs: files opened, closed, named and changed, and calls about files that failed."""

from scopetrace.sources.fs.source import FsSource as SOURCE

__all__ = ["SOURCE"]
