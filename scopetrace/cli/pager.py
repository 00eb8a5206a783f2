"""Show an answer that is longer than the screen in a pager.

1. What a command prints is kept until it is more than the screen holds: then the pager is started
   and gets it, and all that follows. An answer that fits is written to the terminal as it is.
2. Standard error goes the same way, if it is the same terminal: the screen is the pager's, and the
   order of lines stays.
3. A pager that is quit early ends the command, with success.

The pager is $SCOPETRACE_PAGER, else $PAGER, else `less -FRX`; empty or `cat`: none.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from scopetrace.output.width import display_width

if TYPE_CHECKING:
    from subprocess import Popen

DEFAULT = ["less", "-FRX"]
"""-F: quit if it fits the screen; -R: colours; -X: leave the text on the screen at the end."""
NO_PAGER = "no_pager"
OWN_WAY = ("follow", "sent", "received")
"""Options with which a command writes on and on, or bytes: never to a pager."""
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def make_paged(command: click.Command) -> None:
    """Have a command show long answers in a pager, and take `--no-pager`."""
    if command.callback is None or any(param.name == NO_PAGER for param in command.params):
        return
    command.params.append(
        click.Option(["--no-pager"], is_flag=True, help="Print also a long answer without a pager.")
    )
    command.callback = _paged(command.callback)


def _paged(callback: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(callback)
    def call(*, no_pager: bool, **params: Any) -> Any:
        declined = no_pager or click.get_current_context().find_root().params.get(NO_PAGER)
        own_way = any(params.get(name) for name in OWN_WAY)
        argv = [] if declined or own_way or not _on_terminal() else pager_command()
        with paged_output(argv) if argv else nullcontext():
            return callback(**params)

    return call


def pager_command(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the command line of the pager; [] if there is to be none, or it is not installed."""
    import shlex
    from shutil import which

    chosen = environ.get("SCOPETRACE_PAGER", environ.get("PAGER"))
    try:
        argv = DEFAULT if chosen is None else shlex.split(chosen)
    except ValueError:
        return []
    return argv if argv and argv != ["cat"] and which(argv[0]) else []


def _on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def paged_output(argv: list[str]) -> Iterator[None]:
    """Have standard output go through a `Screen`, and standard error on the same terminal too."""
    stdout, stderr = sys.stdout, sys.stderr
    screen = Screen(argv, stdout.fileno())
    paged = io.TextIOWrapper(
        io.BufferedWriter(screen), encoding=stdout.encoding, errors=stdout.errors
    )
    sys.stdout = paged
    if stderr is not None and _is_same_terminal(stdout.fileno(), stderr.fileno()):
        sys.stderr = paged
    try:
        yield
        paged.flush()
    except (BrokenPipeError, KeyboardInterrupt):
        if not screen.has_pager:
            raise
    finally:
        sys.stdout, sys.stderr = stdout, stderr
        with suppress(OSError):
            paged.flush()
        screen.finish()
        paged.detach()


def _is_same_terminal(one: int, other: int) -> bool:
    try:
        return os.fstat(one).st_rdev == os.fstat(other).st_rdev
    except OSError:
        return False


class Screen(io.RawIOBase):
    """A terminal that starts a pager for what is more than it can show.

    Args:
        argv: the command line of the pager.
        fd: of the terminal.
    """

    def __init__(self, argv: list[str], fd: int) -> None:
        self._argv = argv
        self._fd = fd
        self._columns, self._lines = os.get_terminal_size(fd)
        self._kept = bytearray()
        self._pager: Popen[bytes] | None = None
        self._is_quit = False

    @property
    def has_pager(self) -> bool:
        """Whether the pager was started."""
        return self._pager is not None

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Return True: commands print as for a terminal."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the terminal, for its size."""
        return self._fd

    def write(self, data: Any) -> int:
        """Keep the bytes, or hand them to the pager."""
        if self._pager is None:
            self._kept += data
            text = self._kept.decode(errors="replace")
            if self._lines and rows(text, self._columns) >= self._lines:
                self._start()
        else:
            self._send(bytes(data))
        return len(data)

    def _start(self) -> None:
        from subprocess import PIPE, Popen

        less = {} if "LESS" in os.environ else {"LESS": "FRX"}
        self._pager = Popen(self._argv, stdin=PIPE, env=os.environ | less)
        kept, self._kept = bytes(self._kept), bytearray()
        self._send(kept)

    def _send(self, data: bytes) -> None:
        assert self._pager is not None
        assert self._pager.stdin is not None
        if self._is_quit:
            return
        try:
            self._pager.stdin.write(data)
            self._pager.stdin.flush()
        except BrokenPipeError:
            self._is_quit = True
            raise

    def finish(self) -> None:
        """Write what fits the screen, or wait until the pager is quit."""
        if self._pager is None:
            rest = memoryview(bytes(self._kept))
            while rest:
                rest = rest[os.write(self._fd, rest) :]
            return
        with suppress(OSError):
            assert self._pager.stdin is not None
            self._pager.stdin.close()
        while self._pager.returncode is None:
            with suppress(KeyboardInterrupt):  # Ctrl-C is for the pager
                self._pager.wait()


def rows(text: str, columns: int) -> int:
    """Return how many rows of the screen a text takes."""
    widths = (display_width(ESCAPES.sub("", line)) for line in text.splitlines())
    return sum(max(1, -(-width // max(columns, 1))) for width in widths)
