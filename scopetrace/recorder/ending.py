"""What `run` prints when its program ends: the summary, or one line that names the session.

It also writes the page that `run --report` asks for.

It is printed while the program is a zombie that the engine has not reaped yet (ext/ptrace/exit.c):
its parent has not learned of the end, so a shell prints its prompt after it.

The line is for a person who waits at the terminal. It is left out where it could be in the way:
standard error is no terminal, the program was not in its foreground, or what it wrote goes to
another program (`scopetrace run CMD | less`), which may use the same terminal.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scopetrace.config.schema import Recording
from scopetrace.errors import ScopeError
from scopetrace.model.process import ProcessEnd
from scopetrace.model.session import SessionInfo
from scopetrace.model.shown import escape, stderr_line
from scopetrace.output.color import color_allowed, paint
from scopetrace.recorder.stderr import ProgramStderr, write_patiently

if TYPE_CHECKING:
    from scopetrace.query import Session
    from scopetrace.store.writer import SessionWriter

_ECHOING_KEYS = (signal.SIGINT, signal.SIGQUIT)
"""Signals of keys that the terminal shows as `^C` and `^\\`, without an end of line."""


class Ending:
    """Prints at the end of the program what the configuration asks for.

    Args:
        settings: the section `scopetrace` of the configuration.
        stderr: where to print; its copy is closed at once unless something will be printed
            before the program ends, or a page is written.
        pid: of the program.
    """

    def __init__(self, settings: Recording, stderr: ProgramStderr, pid: int) -> None:
        self._stderr = stderr
        self._pid = pid
        self._summary = settings.summary
        self._report = settings.report
        self._hint = settings.hint and bool(stderr.terminal) and not stderr.is_piped_on
        if not (self._summary or self._report or settings.syscallsprint):
            stderr.release()

    def print(self, writer: SessionWriter, end: ProcessEnd, others: Sequence[str]) -> None:
        """Print the summary or the line, if there is to be one.

        Args:
            writer: of the session file, in which all that the program did is committed.
            end: how the program ended.
            others: the programs of those processes that are still being recorded.

        Raises:
            SessionError: the session cannot be read.
        """
        if self._summary or self._report:
            self._show(writer.path, end, others)
        self._stderr.release()
        if not self._summary and self._hint and self._is_in_foreground():
            self._print_line(writer, end, others)

    def _show(self, path: Path, end: ProcessEnd, others: Sequence[str]) -> None:
        """Write the page and print the summary, as far as they are wanted."""
        from scopetrace.query import open_session

        with open_session(path) as session:
            if self._report:
                self._write_report(session, end)
            if self._summary:
                self._print_summary(session, end, others)

    def _write_report(self, session: Session, end: ProcessEnd) -> None:
        from scopetrace import __version__
        from scopetrace.output.report.page import page
        from scopetrace.query.report import read_report
        from scopetrace.recorder.page_file import write_page_file

        found = read_report(session)
        ended = found.summary._replace(info=_with_end(found.summary.info, end))
        text = page(found._replace(summary=ended), __version__)
        try:
            write_page_file(Path(session.info.cwd, self._report), text)
        except ScopeError as error:
            self._print_kept(stderr_line(str(error)))

    def _print_kept(self, text: str) -> None:
        """Write to the copy of standard error."""
        if self._stderr.kept is not None:
            write_patiently(self._stderr.kept, text.encode(errors="backslashreplace"))

    def _is_in_foreground(self) -> bool:
        return is_in_foreground(self._pid, self._stderr.terminal)

    def _print_summary(self, session: Session, end: ProcessEnd, others: Sequence[str]) -> None:
        from scopetrace.output.summary import summary_lines

        found = session.summary()
        found = found._replace(info=_with_end(found.info, end))
        color = bool(self._stderr.terminal) and color_allowed()
        lines = [*summary_lines(found, self._columns(), color=color)]
        if others:
            lines.append(going_on(others))
        self._print_kept("".join(f"{line}\n" for line in lines))

    def _columns(self) -> int | None:
        """Return the width of the terminal, None if there is none."""
        if not self._stderr.terminal or self._stderr.kept is None:
            return None
        return os.get_terminal_size(self._stderr.kept).columns or None

    def _print_line(self, writer: SessionWriter, end: ProcessEnd, others: Sequence[str]) -> None:
        line = f"session {writer.id}: scopetrace summary"
        if others:
            line += f" ({going_on(others)})"
        shown = paint(line, "grey") if color_allowed() else line
        start = "\n" if end.signal in _ECHOING_KEYS or self._is_line_open(writer) else ""
        self._stderr.write(f"{start}{shown}\n".encode(errors="backslashreplace"), self._pid)

    def _is_line_open(self, writer: SessionWriter) -> bool:
        """Return whether the last that was written to the terminal did not end its line."""
        streams = ("stderr", "stdout") if self._stderr.has_stdout else ("stderr",)
        return not (writer.last_text(streams) or "\n").endswith("\n")


def _with_end(info: SessionInfo, end: ProcessEnd) -> SessionInfo:
    """Return the facts as if the session ended with the program."""
    return info._replace(
        status="finished", ended_ns=end.ended_ns, exit_code=end.exit_code, signal=end.signal
    )


def going_on(programs: Sequence[str]) -> str:
    """Return the clause that says which processes run on and are recorded."""
    if len(programs) == 1:
        return f"{escape(programs[0])} runs on and is recorded: scopetrace ps"
    return f"{len(programs)} processes run on and are recorded: scopetrace ps"


def is_in_foreground(pid: int, terminal: int) -> bool:
    """Return whether a process is, or as a zombie was, in the foreground of a terminal.

    From a leader of a session the kernel takes the terminal at its end (disassociate_ctty in
    drivers/tty/tty_jobctrl.c): no shell waits there.

    Args:
        pid: of the process.
        terminal: its device number, as in proc_pid_stat(5).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    group, _session, tty, foreground = map(int, fields[2:6])
    return tty == terminal and group == foreground
