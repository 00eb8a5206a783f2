"""Values of arguments in words, by their kinds: sizes, times, descriptors, permissions."""

from __future__ import annotations

import re
from collections.abc import Callable

from scopetrace.explain.subject import Subject
from scopetrace.model.shown import escape
from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.descriptors import AT_FDCWD, address_text, signed

STANDARD = ("standard input", "standard output", "standard error")
PIPE = re.compile(r"pipe: (read|write) end")
UNNAMED = re.compile(r"(pipe|socket):\[\d+\]")
"""What the kernel calls a pipe or a socket that was open at the start."""
SOCKET = re.compile(r"(TCP|UDP|UNIX-[A-Z]+|NETLINK)(?:v6)?(?: ([^→←]+))?(?:([→←])(.+))?")
UNIX_SOCKETS = {f"UNIX-{name}": "unix" for name in ("STREAM", "DGRAM", "SEQPACKET")}
MODE_LETTERS = "rwxrwxrwx"
KILO = 1024
UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB", "EB")
MICRO, NANO = 1_000_000, 1_000_000_000
TIMERS = ("itimerval", "itimerspec", "itimerspec64")
TIMESPECS = {"timespec": NANO, "timespec64": NANO, "timeval": MICRO}


def joined(words: list[str], last: str = "and") -> str:
    """Return texts as `a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def size(count: int) -> str:
    """Return a number of bytes: `1 byte`, `4096 bytes`, `1.5 MB` where that is shorter."""
    if count == 1:
        return "1 byte"
    if count < 10 * KILO:
        return f"{count} bytes"
    power = min((count.bit_length() - 1) // 10, len(UNITS) - 1)
    return f"{count / KILO**power:.3g} {UNITS[power]}"


def descriptor(call: Subject, fd: int) -> str:
    """Return a descriptor with what it is: `/etc/hosts (descriptor 3)`."""
    name = call.fd_name(fd)
    if fd == AT_FDCWD:
        return f"the working folder{f' {name}' if name else ''}"
    what = _described_name(name)
    if 0 <= fd < len(STANDARD):
        return f"{STANDARD[fd]}{f' ({what})' if what else ''}"
    return f"{what} (descriptor {fd})" if what else f"descriptor {fd}"


def _described_name(name: str) -> str:
    """Return in words what `syscalls.descriptors` calls a pipe or a socket."""
    if found := UNNAMED.fullmatch(name):
        return f"a {found.group(1)}"
    if found := PIPE.match(name):
        return f"the {found.group(1)} end of a pipe"
    found = SOCKET.fullmatch(name)
    if found is None:
        return name
    kind, local, way, peer = found.groups()
    kind = UNIX_SOCKETS.get(kind, kind)
    if way:
        return f"the {kind} connection {'to' if way == '→' else 'from'} {peer}"
    return f"the {kind} socket at {local}" if local else f"a {kind} socket"


def permissions(mode: int) -> str:
    """Return permissions as ls shows them: `rw-r--r--`."""
    bits = (mode >> shift & 1 for shift in range(8, -1, -1))
    return "".join(letter if bit else "-" for letter, bit in zip(MODE_LETTERS, bits, strict=True))


def seconds(count: float) -> str:
    """Return a time: `0.25 s`, `3 ms`."""
    if 0 < count < 1:
        return f"{count * 1000:.3g} ms" if count >= 0.001 else f"{count * MICRO:.3g} µs"
    return f"{count:.4g} s"


def span(text: str) -> str:
    """Return a time that is printed as a structure: `{tv_sec=1, tv_nsec=0}`."""
    found = [*map(int, re.findall(r"=(-?\d+)", text))]
    if len(found) < 2:
        return text
    return seconds(found[0] + found[1] / (MICRO if "tv_usec" in text else NANO))


def address_at(call: Subject, place: int, phase: Phase) -> str:
    """Return the address of a socket that is in memory before or after a call; empty: none is."""
    return escape(address_text(call.view.peek(place, phase)[0])) if place else ""


def _fd(call: Subject, value: int, text: str) -> str:
    return descriptor(call, signed(value))


def _pid(call: Subject, value: int, text: str) -> str:
    return f"process {signed(value)}"


def _mode(call: Subject, value: int, text: str) -> str:
    return f"{text} ({permissions(value)})"


def _size(call: Subject, value: int, text: str) -> str:
    return size(value) if value < 1 << 63 else text


def _address(call: Subject, value: int, text: str) -> str:
    return address_at(call, value, Phase.EXIT) or address_at(call, value, Phase.ENTRY) or text


def _span(call: Subject, value: int, text: str) -> str:
    return span(text)


def _timer(call: Subject, value: int, text: str) -> str:
    """Say when a timer ends, and how often; `is stopped` if its time is 0."""
    units = re.findall(r"=(-?\d+), tv_([un])sec=(-?\d+)", text)
    if len(units) < 2:
        return text
    every, first = (
        int(whole) + int(part) / (MICRO if unit == "u" else NANO) for whole, unit, part in units
    )
    if not first:
        return "is stopped"
    absolute = call.has("TFD_TIMER_ABSTIME") or call.has("TIMER_ABSTIME")
    ends = f"ends when its clock shows {first:.9g} s" if absolute else f"ends in {seconds(first)}"
    return f"{ends}, and then every {seconds(every)}" if every else ends


def _string(call: Subject, value: int, text: str) -> str:
    return text


def _signal(call: Subject, value: int, text: str) -> str:
    return f"signal {text}" if text.isdigit() else text


def _owner(noun: str) -> Callable[[Subject, int, str], str]:
    def found(call: Subject, value: int, text: str) -> str:
        stays = text == "-1" and len(call.texts) > 1
        return f"the {noun} as it is" if stays else f"{noun} {text}"

    return found


PHRASES: dict[str, Callable[[Subject, int, str], str]] = {
    **dict.fromkeys(("fd", "dirfd"), _fd),
    "pid": _pid,
    "signal": _signal,
    **dict.fromkeys(("octal", "openmode"), _mode),
    "size": _size,
    "sockaddr": _address,
    **dict.fromkeys(TIMESPECS, _span),
    **dict.fromkeys(TIMERS, _timer),
    **dict.fromkeys(("uid", "uid16"), _owner("user")),
    **dict.fromkeys(("gid", "gid16"), _owner("group")),
}
"""Kind of an argument → its value in words; others are as they are printed."""


def phrase(call: Subject, argument: str) -> str:
    """Return an argument in words; empty: the call has none of this name."""
    kind, text = call.kind(argument), call.texts.get(argument)
    if kind is None or text is None:
        return text or ""
    if kind.name == "path":
        return call.path(argument) or text
    return PHRASES.get(kind.name, _string)(call, call.value(argument) or 0, text)
