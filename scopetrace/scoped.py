"""What the fixture `scoped` gives to a test: programs are run recorded, and asked about after.

Questions are about all programs of the test together. Of files, only the program's own count (the
class `own` of scope.yml's `pathclasses`): what interpreters and loaders need is not what is tested.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from os import PathLike
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Unpack

from scopetrace.db.paths import session_paths, sessions_folder
from scopetrace.errors import UsageError
from scopetrace.model.event import EventRecord
from scopetrace.model.file_record import OWN, FileRecord
from scopetrace.output.summary import summary_lines
from scopetrace.output.why import why_lines
from scopetrace.query import Session, open_session
from scopetrace.recorder import api
from scopetrace.recorder.popen_options import PopenOptions

if TYPE_CHECKING:
    from scopetrace.model.flow_record import FlowRecord

HOME = "SCOPETRACE_HOME"


class Result:
    """A program that has ended."""

    def __init__(self, session: Session, stdout: str, stderr: str) -> None:
        self.session = session
        self.exit_code = session.exit_code
        """None: a signal ended it (`session.info.signal`)."""
        self.stdout = stdout
        self.stderr = stderr

    def __repr__(self) -> str:
        return f"<Result {self.session!r}>"


class Scoped:
    """Records the programs of one test.

    Args:
        home: where their sessions are kept.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._opened: dict[Path, Session] = {}
        self._captured: set[str] = set()
        """The files in which pytest keeps what programs print."""
        self._records = False
        """Whether the test asked for anything to be recorded."""

    def run(
        self,
        args: Sequence[str | PathLike[str]],
        *,
        input: str | None = None,
        config: str | PathLike[str] | None = None,
        **popen: Unpack[PopenOptions],
    ) -> Result:
        """Run a program recorded and return how it ended and what it printed.

        What it printed is also in the report of a test that fails, as with `subprocess`.

        Args:
            args: the program and its arguments.
            input: what it reads from standard input; None: nothing.
            config: a scope.yml to use.
            popen: options of `subprocess.Popen`.

        Raises:
            UsageError: `args` is a text, or empty.
            CommandNotFound, CommandNotExecutable: the program cannot be run.
            SessionError: it was not recorded.
        """
        self._records = True
        options: PopenOptions = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen}
        options["env"] = self._environment(popen.get("env"))
        if "stdin" not in popen:
            options["stdin"] = subprocess.DEVNULL if input is None else subprocess.PIPE
        session, out, err = api.run_and_communicate(args, input, config, options)
        sys.stdout.write(out)
        sys.stderr.write(err)
        self._opened[session.path] = session
        return Result(session, out, err)

    @contextmanager
    def subprocesses(self) -> Iterator[None]:
        """Have all programs recorded that this process starts by subprocess, os.system, asyncio."""
        self._records = True
        start = subprocess.Popen.__init__

        def start_recorded(popen: Any, args: Any, *rest: Any, **options: Any) -> None:
            shell = options.pop("shell", False)
            command = api.recording_command(_listed(args, shell, options.pop("executable", None)))
            options["env"] = self._environment(options.get("env"))
            start(popen, command, *rest, **options)
            popen.args = args

        self._captured |= {_name_of_fd(fd) for fd in (1, 2)}
        replaced = _replaced(subprocess.Popen, "__init__", start_recorded)
        with replaced, _replaced(os, "system", _system):
            yield

    @property
    def sessions(self) -> list[Session]:
        """The sessions of this test, in the order in which their programs were started."""
        for path in session_paths(sessions_folder(self._home)).values():
            if path not in self._opened:
                self._opened[path] = session = open_session(path)
                session.wait_for_recorder()
        return sorted(self._opened.values(), key=lambda session: session.info.id)

    def _recorded(self) -> list[Session]:
        """Return the sessions that a question is about.

        Raises:
            UsageError: the test records nothing, so every answer would be that nothing happened.
        """
        if not self._records:
            raise UsageError(
                "this test records no program: start it with scoped.run([...]), or within"
                " `with scoped.subprocesses():`"
            )
        return self.sessions

    def files(
        self,
        *,
        read: bool = False,
        written: bool = False,
        missed: bool = False,
        denied: bool = False,
        deleted: bool = False,
        renamed: bool = False,
        inside: str | PathLike[str] | None = None,
        outside: str | PathLike[str] | None = None,
        all_classes: bool = False,
    ) -> list[FileRecord]:
        """Return the files with any of the uses that are asked for; without one, all files.

        Args:
            read, written, missed, denied, deleted, renamed: uses, as of `scopetrace files`.
            inside: only files in this folder or below it.
            outside: only files that are not.
            all_classes: also those that interpreters and loaders need.
        """
        asked = {
            "read": read,
            "written": written,
            "missed": missed,
            "denied": denied,
            "deleted": deleted,
            "renamed": renamed,
        }
        uses = [use for use, wanted in asked.items() if wanted]
        return [
            file
            for session in self._recorded()
            for file in session.files()
            if (all_classes or (file.path_class == OWN and file.path not in self._captured))
            and (not uses or any(getattr(file, use) for use in uses))
            and (inside is None or _is_below(file.path, inside))
            and (outside is None or not _is_below(file.path, outside))
        ]

    @property
    def talked_to(self) -> list[str]:
        """The peers of connections: `example.com:443`, `[::1]:80`, the path of a socket."""
        peers = (peer for session in self._recorded() for peer in _peers(session))
        return list(dict.fromkeys(peers))

    def events(self, source: str | Sequence[str] = ()) -> Iterator[EventRecord]:
        """Return the events of all sessions; see `Session.events`."""
        return chain.from_iterable(session.events(source) for session in self._recorded())

    def sections(self) -> list[tuple[str, str]]:
        """Return a title and a text for each session, for the report of a test that failed.

        The text says why processes ended badly, if any did, and is the summary.
        """
        return [
            (
                f"scopetrace session {session.info.id} ({session.path})",
                "\n".join(_report_lines(session)),
            )
            for session in self.sessions
        ]

    def close(self) -> None:
        """Close the sessions."""
        for session in self._opened.values():
            session.close()

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return {**(os.environ if env is None else env), HOME: str(self._home)}


def _report_lines(session: Session) -> Iterator[str]:
    why = session.why()
    if why.ends:
        yield from why_lines(why, None)
        yield ""
    yield from summary_lines(session.summary(), None)


@contextmanager
def _replaced(owner: object, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _system(command: str) -> int:
    """Do as os.system, by subprocess; return the status as waitpid(2) has it."""
    code = subprocess.call(command, shell=True)
    return -code if code < 0 else code << 8


def _name_of_fd(fd: int) -> str:
    """Return the name of an open file, also of one that was deleted; empty: it is not open."""
    try:
        return str(Path(f"/proc/self/fd/{fd}").readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""


def _listed(args: Any, shell: bool, executable: Any) -> list[str]:
    """Return what Popen would execute as a list."""
    listed = [args] if isinstance(args, str | bytes | PathLike) else list(args)
    if shell:
        return [os.fsdecode(executable or "/bin/sh"), "-c", *map(os.fsdecode, listed)]
    if executable is not None:
        listed[0] = executable
    return [os.fsdecode(each) for each in listed]


def _is_below(path: str, folder: str | PathLike[str]) -> bool:
    return PurePath(path).is_relative_to(Path(folder).resolve())


def _peers(session: Session) -> Iterator[str]:
    """Yield whom each flow is with, but for services that every program asks (nscd)."""
    classes = session.path_classes
    for flow in session.flows():
        peer = flow.peer
        if peer is None or _is_silent(flow):
            continue
        if peer.family == "unix" and peer.host and classes.of(peer.host) == OWN:
            yield peer.host
        elif peer.family in ("inet", "inet6"):
            host = flow.peer_name or peer.host
            yield f"[{host}]:{peer.port}" if ":" in host else f"{host}:{peer.port}"


def _is_silent(flow: FlowRecord) -> bool:
    """Return whether a datagram socket was only connected, as to learn its own address."""
    return flow.transport == "IP.UDP" and not (flow.bytes_sent or flow.bytes_recv)
