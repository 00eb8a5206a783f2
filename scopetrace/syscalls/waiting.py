"""What waits: poll, select, epoll, and asynchronous I/O."""

from __future__ import annotations

from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.numbers import fd
from scopetrace.syscalls.quote import hexed, pointer, signed
from scopetrace.syscalls.structures import at
from scopetrace.syscalls.text import buffer_at
from scopetrace.syscalls.view import Place, Shown, View, makes

LOW = 0xFFFFFFFF
POLLFD = 8
SETS = 1024 * 1024


def poll_entries(view: View, address: int, count: int, phase: Phase) -> list[tuple[int, int, int]]:
    """Return fd, events and revents of each entry of poll."""
    data, _ = view.peek(address, phase)
    return [
        (
            int.from_bytes(data[start : start + 4], "little", signed=True),
            int.from_bytes(data[start + 4 : start + 6], "little"),
            int.from_bytes(data[start + 6 : start + 8], "little"),
        )
        for start in range(0, min(len(data) // POLLFD, count) * POLLFD, POLLFD)
    ]


@makes("pollfds")
def _poll_fds(place: Place) -> Shown:
    """What is waited for; what came is part of the result."""
    count_at = place.position()

    def shown(view: View, address: int) -> str:
        count = view.args[count_at] & LOW
        if not address or not count:
            return "[]" if address else "NULL"
        found = poll_entries(view, address, count, Phase.ENTRY)
        if not found:
            return pointer(address)
        limit = len(found) if view.verbose else view.strings
        parts = [_entry(view, number, events) for number, events, _ in found[:limit]]
        return f"[{', '.join([*parts, '...'] if len(found) > limit else parts)}]"

    return shown


def _entry(view: View, number: int, events: int) -> str:
    if number < 0:
        return f"{{fd={number}}}"
    return f"{{fd={fd(view, number)}, events={name_set('poll').of_flags(events)}}}"


def poll_result(view: View) -> str:
    """Return what became ready: [{fd=3, revents=POLLIN}]."""
    found = poll_entries(view, view.args[0], view.args[1] & LOW, Phase.EXIT)
    limit = len(found) if view.verbose else view.strings
    ready = [entry for entry in found if entry[2]]
    parts = [
        f"{{fd={fd(view, number)}, revents={name_set('poll').of_flags(revents)}}}"
        for number, _, revents in ready[:limit]
    ]
    return f"[{', '.join([*parts, '...'] if len(ready) > limit else parts)}]"


def fd_set(view: View, address: int, count: int, phase: Phase) -> list[int] | None:
    """Return the descriptors of a set, or None if it was not copied."""
    bits = 8 * view.abi.word
    size = -(-min(count, SETS) // bits) * view.abi.word
    data = view.read(address, size, phase) if address and size else None
    if data is None:
        return [] if address and not size else None
    mask = int.from_bytes(data, "little")
    return [number for number in range(count) if mask >> number & 1]


def _members(view: View, found: list[int]) -> str:
    limit = len(found) if view.verbose else view.strings
    parts = [fd(view, number) for number in found[:limit]]
    return f"[{' '.join([*parts, '...'] if len(found) > limit else parts)}]"


@makes("fd_set")
def _fd_set(place: Place) -> Shown:
    count_at = place.position()

    def shown(view: View, address: int) -> str:
        count = signed(view.args[count_at], 32)
        found = fd_set(view, address, count, Phase.ENTRY) if count >= 0 else None
        return pointer(address) if found is None else _members(view, found)

    return shown


SELECT_SETS = (("in", 1), ("out", 2), ("except", 3))


def select_result(view: View, timeout: str) -> str:
    """Return what became ready and the time that is left: in [3], left {tv_sec=…}."""
    if not view.result:
        return "Timeout"
    count = max(signed(view.args[0], 32), 0)
    parts = []
    for name, argument in SELECT_SETS:
        found = fd_set(view, view.args[argument], count, Phase.EXIT)
        if found:
            parts.append(f"{name} {_members(view, found)}")
    left = at(view, view.args[4], timeout, Phase.EXIT) if view.args[4] else ""
    if left.startswith("{"):
        parts.append(f"left {left}")
    return ", ".join(parts)


@makes("epolladd")
def _epoll_event(place: Place) -> Shown:
    """The event of epoll_ctl, which EPOLL_CTL_DEL does not read."""

    def shown(view: View, address: int) -> str:
        if view.args[1] & LOW == 2:
            return pointer(address)
        return at(view, address, "epoll_event", Phase.ENTRY)

    return shown


@makes("epolldata")
def _epoll_data(place: Place) -> Shown:
    return lambda view, value: f"{{u32={value & LOW}, u64={value}}}"


@makes("iocbs")
def _requests(place: Place) -> Shown:
    """Requests of io_submit, through an array of pointers."""
    count_at = place.position()

    def shown(view: View, address: int) -> str:
        count, word = view.args[count_at], view.abi.word
        data = view.read(address, count * word, Phase.ENTRY) if count else b""
        if data is None or not address:
            return pointer(address)
        found = [int.from_bytes(data[n : n + word], "little") for n in range(0, len(data), word)]
        return f"[{', '.join(request_at(view, each) for each in found)}]"

    return shown


@makes("iocb")
def _request(place: Place) -> Shown:
    return request_at


IOCB_SIZE, PREAD, PWRITE = 64, 0, 1
VECTORS = (7, 8)


def request_at(view: View, address: int) -> str:
    """Return a request for asynchronous I/O."""
    data = view.read(address, IOCB_SIZE, Phase.ENTRY) if address else None
    if data is None:
        return pointer(address)
    number = [int.from_bytes(data[n:end], "little") for n, end in IOCB_FIELDS]
    user, command, priority, descriptor, buffer, size, offset = number
    parts = [f"aio_data={hexed(user)}"] if user else []
    parts.append(f"aio_lio_opcode={name_set('iocb').value(command)}")
    if priority:
        parts.append(f"aio_reqprio={priority}")
    parts.append(f"aio_fildes={fd(view, descriptor)}")
    if command in (PREAD, PWRITE):
        text = buffer_at(view, buffer, size, Phase.ENTRY) if command else pointer(buffer)
        parts += [f"aio_buf={text}", f"aio_nbytes={size}", f"aio_offset={signed(offset, 64)}"]
    elif command in VECTORS:
        parts += [
            f"aio_buf={pointer(buffer)}",
            f"aio_nbytes={size}",
            f"aio_offset={signed(offset, 64)}",
        ]
    return f"{{{', '.join(parts)}}}"


IOCB_FIELDS = ((0, 8), (16, 18), (18, 20), (20, 24), (24, 32), (32, 40), (40, 48))
