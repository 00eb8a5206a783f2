"""The processes of a session: who started whom, how each ended, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from scopetrace.model.process import Process, ProcessEnd
from scopetrace.query.records import read_process_ends, read_processes
from scopetrace.query.session_base import SessionBase, listed, sql_int

if TYPE_CHECKING:
    from scopetrace.model.process_tree import ProcessNode
    from scopetrace.model.touch import Who
    from scopetrace.model.why import Why


class ProcessViews(SessionBase):
    """What is asked about processes."""

    def processes(self) -> Iterator[Process]:
        """Return the process images in the order they began."""
        with self.reading():
            yield from read_processes(self._db)

    def process_ends(self) -> Iterator[ProcessEnd]:
        """Return how process images ended, for those that have, in the order they began."""
        with self.reading():
            yield from read_process_ends(self._db)

    def process_page(
        self,
        key: int,
        most: int,
        pid: int | Iterable[int] = (),
        match: str | Iterable[str] = (),
        backwards: bool = False,
    ) -> list[ProcessNode]:
        """Return the next processes, in the order in which they began, without their children.

        Args:
            key: those behind the process whose `key` this is; 0: from the first.
            most: so many at most.
            pid: only these processes, and those that they started.
            match: texts of which the command line or the path of the program contains one.
            backwards: those just before the key instead.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.process_pages import ProcessFilter, read_process_page

        wanted = ProcessFilter(tuple(map(sql_int, listed(pid))), listed(match))
        with self.reading():
            return read_process_page(self._db, wanted, sql_int(key), most, backwards)

    def tree(self) -> tuple[ProcessNode, ...]:
        """Return the processes that no process of the session started, each with all below it.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.tree import read_tree

        with self.reading():
            return read_tree(self._db)

    def start_up_images(self) -> frozenset[int]:
        """Return the numbers of the process images that belong to the start-up of programs.

        They are scripts that stand before a program (those of pyenv, rbenv, asdf, npm), and what
        these started.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.startup import start_up_images

        with self.reading():
            return start_up_images(self._db, self.path_classes)

    def who(self, what: str | int | Path) -> Who:
        """Return everything that touched a file, a peer or a process, in order.

        Args:
            what: a path, also relative to the session's folder, or its end; HOST:PORT, :PORT, HOST
                or the path of a unix socket; a pid.

        Raises:
            SessionError: the session has nothing about it, or cannot be read.
            UsageError: it is the end of several paths.
        """
        from scopetrace.query.who import read_who

        info = self.info
        with self.reading():
            return read_who(self._db, info, str(what))

    def why(self) -> Why:
        """Return why processes ended badly: which failed first, and the calls that failed there.

        Raises:
            SessionError: the session cannot be read.
        """
        from scopetrace.query.why import read_why

        info = self.info
        with self.reading():
            return read_why(self._db, info, self.path_classes)
