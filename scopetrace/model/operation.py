"""Operations: what raw records meant, on their way from decode to the sources.

An operation is plain data: what happened, when in Unix time, and to which image. Paths are text
whose undecodable bytes are lone surrogates.
"""

from __future__ import annotations

from typing import NamedTuple

from scopetrace.model.evidence import Evidence
from scopetrace.model.flow import Address, Flow, FlowUsage
from scopetrace.model.image import Image
from scopetrace.model.open_file import OpenFile, Usage

STOPPED = "stop"
"""The op of a file or flow that was still open when recording ended."""


class ImageStarted(NamedTuple):
    """An image began; `seen` is false if it was met in mid-life, and may never do anything."""

    image: Image
    time_ns: int
    seen: bool


class ImageEnded(NamedTuple):
    """An image ended; `replaced` by an exec, else with its process."""

    image: Image
    time_ns: int
    exit_code: int | None
    signal: int | None
    replaced: bool


class Executed(NamedTuple):
    """A program started; `image` is the new one, with all facts of the program."""

    image: Image
    tid: int
    time_ns: int
    op: str


class Forked(NamedTuple):
    """A process made another; `image` is the parent's."""

    image: Image
    tid: int
    time_ns: int
    op: str
    child_pid: int


class Leaving(NamedTuple):
    """A process is about to end."""

    image: Image
    time_ns: int
    fds: int
    """How many it has open."""
    threads: int
    """0: this is not known, nor what follows."""
    virtual_kib: int
    resident_kib: int
    """Its memory, and how much of that is resident."""


class Exited(NamedTuple):
    """A process ended: exactly one of `exit_code` and `signal` is set, none if it is not known."""

    image: Image
    tid: int
    time_ns: int
    exit_code: int | None
    signal: int | None
    core_dumped: bool
    duration_ns: int
    """Since the fork, or since the session began."""
    usage: tuple[int, ...]
    """CPU time user and system (µs), max RSS (KiB), minor and major faults, all with the children
    it waited for; CPU time of its own (µs)."""
    process_group: int = 0
    """Its id; 0: not known."""


class Signalled(NamedTuple):
    """A signal was delivered; `code` is si_code (sigaction(2))."""

    image: Image
    tid: int
    time_ns: int
    signal: int
    code: int
    sender_pid: int
    sender_uid: int
    times: int
    """How many of its kind this stands for, in a storm of them; `time_ns` is that of the first."""
    address: int | None = None
    """Of a fault: of the memory or, of some, the instruction (sigaction(2), si_addr)."""


class Opened(NamedTuple):
    """A new open file description of something with a path."""

    image: Image
    tid: int
    time_ns: int
    op: str
    file: OpenFile
    fd: int
    flags: int | None
    """Of open(2); None if the call has none."""
    passed: str
    """The path as the program passed it; empty if it passed none."""
    created: bool
    """It is known that this call made the file."""


class Closed(NamedTuple):
    """A process closed its last fd of a file that it opened or used."""

    image: Image
    tid: int
    time_ns: int
    op: str
    file: OpenFile
    usage: Usage


class Used(NamedTuple):
    """A file that stays open was used since the last `Used` of it."""

    image: Image
    tid: int
    time_ns: int
    file: OpenFile
    usage: Usage


class Written(NamedTuple):
    """Bytes were written; `transferred` is more than `data` holds if some could not be copied."""

    image: Image
    tid: int
    time_ns: int
    file: OpenFile
    data: bytes
    transferred: int
    fd_serial: int
    """The engine's serial of the fd, for muting; 0: none, or the fd is a flow as well."""
    unreadable: bool
    """The rest could not be read from the program's memory; else it was beyond snaplen."""


class Renamed(NamedTuple):
    """An open file has another path from here on (`file.path`), whichever process renamed it."""

    image: Image
    tid: int
    time_ns: int
    file: OpenFile
    usage: Usage | None
    """What this process did with it so far; None: nothing."""


class NameChanged(NamedTuple):
    """A name came or went: group is delete, rename, link or mkdir."""

    image: Image
    tid: int
    time_ns: int
    op: str
    group: str
    file: str
    passed: str
    """What the program passed for `file`; empty if it is the same."""
    other: str
    """rename: the new name; link: the target; else empty."""
    other_passed: str
    mode: int
    """mkdir and mknod: the permissions asked for."""
    exchanged: bool
    """rename: both names stay, and which files they name is swapped (RENAME_EXCHANGE)."""


class AttributeChanged(NamedTuple):
    """chmod, chown or truncate; what was not set is None."""

    image: Image
    tid: int
    time_ns: int
    op: str
    file: str
    passed: str
    """What the program passed for `file`; empty if it is the same, or an fd was passed."""
    perms: int | None = None
    owner: int | None = None
    group: int | None = None
    size: int | None = None


class Failed(NamedTuple):
    """A call failed; `kind` is what fs.error calls class."""

    image: Image
    tid: int
    time_ns: int
    op: str
    kind: str
    file: str
    passed: str
    """What the program passed for `file`; empty if it is the same, or an fd was passed."""
    other: str
    """rename and link: the second name; else empty."""
    other_passed: str
    errno: int
    evidence: Evidence | None = None


class ProcessFailed(NamedTuple):
    """A call about something else than a file or a connection failed."""

    image: Image
    tid: int
    time_ns: int
    op: str
    what: str
    """What it was about, in words; empty if the name of the call is enough."""
    errno: int
    evidence: Evidence | None = None


class KillSent(NamedTuple):
    """A process sent SIGKILL, whose delivery is not seen."""

    image: Image
    tid: int
    time_ns: int
    op: str
    what: str
    """To whom, in words, as the call said it."""
    target_pid: int
    """The process; 0: several, or it is not known."""
    target_group: int
    """The process group; ALL_PROCESSES: those that the sender may signal; 0: no group, or it is
    not known."""


class FlowOpened(NamedTuple):
    """A connection stands, or a datagram socket has met a new peer."""

    image: Image
    tid: int
    time_ns: int
    op: str
    flow: Flow
    fd: int


class FlowTransferred(NamedTuple):
    """Bytes of a flow went in or out; `transferred` is more than `data` holds if the copy was cut.

    Of a stream, `transferred` 0 is the end of that direction: the peer ended its side, or this
    side its own (shutdown). `early`: the bytes came in while another thread was sending, so the
    question that they answer may be a later operation.
    """

    image: Image
    tid: int
    time_ns: int
    flow: Flow
    outgoing: bool
    data: bytes
    transferred: int
    fd_serial: int
    """The engine's serial of the fd, for muting; 0: none."""
    early: bool = False
    console: str = ""
    """stdout or stderr, if the fd is that: what goes out is emitted as `Written` as well."""


class FlowClosed(NamedTuple):
    """A process closed its last fd of a flow that it opened or used."""

    image: Image
    tid: int
    time_ns: int
    op: str
    flow: Flow
    usage: FlowUsage


class FlowUsed(NamedTuple):
    """A flow that stays open was used since the last `FlowUsed` of it."""

    image: Image
    tid: int
    time_ns: int
    flow: Flow
    usage: FlowUsage


class FlowFailed(NamedTuple):
    """A connection could not be made, or broke: kind is connection or rx_tx."""

    image: Image
    tid: int
    time_ns: int
    op: str
    kind: str
    transport: str
    local: Address | None
    peer: Address | None
    errno: int
    channel: int
    """`Flow.opened_ns` if there is a flow; else 0."""
    evidence: Evidence | None = None


class Listened(NamedTuple):
    """A socket waits for connections, or was bound to receive datagrams."""

    image: Image
    tid: int
    time_ns: int
    op: str
    transport: str
    local: Address | None
    fd: int


class ListenEnded(NamedTuple):
    """A process ends what it began by `Listened`; `fd` is that of the listen or bind."""

    image: Image
    tid: int
    time_ns: int
    transport: str
    local: Address | None
    fd: int


class Counted(NamedTuple):
    """Calls were made that make no operation of their own; group is stat or seek."""

    image: Image
    tid: int
    time_ns: int
    op: str
    group: str
    calls: int


class Noticed(NamedTuple):
    """A notice about the recording itself."""

    image: Image
    tid: int
    time_ns: int
    message: str
    reason: str
    times: int


class CalledWhole(NamedTuple):
    """A system call that is recorded whole, a signal, or the end of a thread (`WholeCall`)."""

    image: Image
    tid: int
    time_ns: int
    duration_ns: int
    abi: int
    number: int
    result: int | None
    data: bytes


class Synced(NamedTuple):
    """The engine holds the main process until everything before this is committed."""

    time_ns: int


class CallsMade(NamedTuple):
    """How many calls programs have made in one way so far."""

    time_ns: int
    way: str
    """Of `raw.WAY_NAMES`; a number if it is not known."""
    calls: int


class Ended(NamedTuple):
    """No more is recorded; the numbers are those of `struct raw_counts`."""

    time_ns: int
    stops: int
    waits: int
    waited_ns: int
    unreadable: int
    lost: int
    recorded: int


Operation = (
    ImageStarted
    | ImageEnded
    | Executed
    | Forked
    | Leaving
    | Exited
    | Signalled
    | Opened
    | Closed
    | Used
    | Written
    | Renamed
    | NameChanged
    | AttributeChanged
    | Failed
    | KillSent
    | ProcessFailed
    | FlowOpened
    | FlowTransferred
    | FlowClosed
    | FlowUsed
    | FlowFailed
    | Listened
    | ListenEnded
    | Counted
    | Noticed
    | CalledWhole
    | Synced
    | CallsMade
    | Ended
)
