"""One sentence to the terminal, from a process that has none.

A recorder must not hold the program's standard error open: whoever waits for the end of that stream
would wait for the recorder. So it remembers what the stream was, and opens it anew for a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


class Complaint:
    """Where this process's standard error goes now."""

    def __init__(self) -> None:
        """Remember it, before it is let go."""
        self._link = _link(Path("/proc/self/fd/2"))

    def utter(self, sentence: str, pid: int) -> None:
        """Write `sentence` there, if the stream can still be reached: through `pid`, or by name.

        The program may have redirected its own standard error for a moment, as shells do, so the
        stream is looked for among all its descriptors.
        """
        for path in self._places(pid):
            with suppress(OSError), path.open("ab", buffering=0) as stream:
                stream.write(f"scopetrace: {sentence}\n".encode(errors="backslashreplace"))
                return

    def _places(self, pid: int) -> Iterator[Path]:
        with suppress(OSError):
            for path in Path(f"/proc/{pid}/fd").iterdir():
                if _link(path) == self._link:
                    yield path
        if self._link.startswith("/"):
            yield Path(self._link)


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
