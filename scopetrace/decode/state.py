"""What all handlers work on: the state of a session while it is decoded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from weakref import WeakSet, WeakValueDictionary

from scopetrace.decode.addresses import BoundNames
from scopetrace.decode.consoles import Consoles
from scopetrace.decode.created_files import CreatedFiles
from scopetrace.decode.files import DecodedFile
from scopetrace.decode.pids import PidNamespaces
from scopetrace.decode.tasks import Task, Tree
from scopetrace.model.call import Call
from scopetrace.model.operation import Operation
from scopetrace.model.raw import RawRecord

INT = 0xFFFFFFFF
"""An int argument is the low half of a register; a negative fd is then no fd of a table."""

MOST_CLOSED_SOCKETS = 256
MOST_SEARCHES = 100
"""Of /proc for who holds something: each takes milliseconds."""


class State:
    """The state of a session while it is decoded."""

    __slots__ = (
        "bound",
        "calls",
        "closed_sockets",
        "consoles",
        "created_files",
        "emit",
        "named_by_link",
        "offset_ns",
        "pids",
        "searches_left",
        "sockets",
        "tree",
    )

    def __init__(
        self, calls: Sequence[Call], emit: Callable[[Operation], None], offset_ns: int
    ) -> None:
        self.calls = calls
        """The rows of syscalls.def."""
        self.emit = emit
        self.offset_ns = offset_ns
        """Unix time less the clock of the records."""
        self.tree = Tree()
        self.consoles = Consoles()
        self.pids = PidNamespaces()
        self.sockets: WeakValueDictionary[int, DecodedFile] = WeakValueDictionary()
        """Sockets by inode, so that one which is passed on or inherited remains the same."""
        self.searches_left = MOST_SEARCHES
        self.bound = BoundNames()
        self.created_files = CreatedFiles()
        self.named_by_link: WeakSet[DecodedFile] = WeakSet()
        """Files that were opened without a name and have one now (`decode.file_names`)."""
        self.closed_sockets: deque[DecodedFile] = deque(maxlen=MOST_CLOSED_SOCKETS)
        """Sockets closed last: each may be in a message to another process (SCM_RIGHTS), and is
        kept so that it is the same one when it is received."""

    def may_search(self) -> bool:
        """Whether /proc may be searched once more."""
        self.searches_left -= 1
        return self.searches_left >= 0

    def remember_socket(self, file: DecodedFile) -> None:
        """Let a socket be found again by its inode."""
        if file.socket is not None and file.stat is not None:
            self.sockets[file.stat.ino] = file


Handler = Callable[[State, Task, RawRecord, Call], None]
"""Decodes one record, which the task caused; of a record that is no call the row says nothing."""


def signed(value: int) -> int:
    """Return an int argument with its sign."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value
