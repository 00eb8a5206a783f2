"""ioctl: the names of requests, and what is known of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import hexed, pointer, signed
from scopetrace.syscalls.structures import at, values
from scopetrace.syscalls.view import Place, Shown, View, decodes, makes, shows

LOW = 0xFFFFFFFF
SETS = (
    "ioctl_tty", "ioctl_socket", "ioctl_fs", "ioctl_loop", "ioctl_tun", "ioctl_rtc", "ioctl_random",
    "ioctl_uffd", "ioctl_perf", "ioctl_ns", "ioctl_seccomp", "ioctl_kvm", "ioctl_cdrom",
    "ioctl_scsi", "ioctl_fd", "ioctl_vt", "ioctl_hd", "ioctl_nbd", "ioctl_watchdog", "ioctl_input",
    "ioctl_inotify",
)  # fmt: skip
DIRECTIONS = ("_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE")
ALIASES = {
    0x5411: "TIOCOUTQ", 0x541B: "FIONREAD", 0x8B00: "SIOCSIWCOMMIT", 0x8B0D: "SIOCGIWPRIV",
}  # fmt: skip


@cache
def request_name(request: int) -> str | None:
    """Return the name of a request, or None."""
    if request in ALIASES:
        return ALIASES[request]
    names = (name_set(name).by_value.get(request) for name in SETS)
    return next((name for name in names if name), None)


def request_text(request: int) -> str:
    """Return the name of a request, or its parts: _IOC(_IOC_READ, 0x12, 0x3, 0x4)."""
    name = request_name(request)
    if name:
        return name
    direction, size = DIRECTIONS[request >> 30], request >> 16 & 0x3FFF
    parts = (hexed(part) for part in (request >> 8 & 0xFF, request & 0xFF, size))
    return f"_IOC({direction}, {', '.join(parts)})"


@shows("request")
def _request(view: View, value: int) -> str:
    return request_text(value & LOW)


def requests(*names: str) -> Iterator[int]:
    """Yield the numbers of requests that have these names."""
    values_of = {name: value for each in SETS for name, value in name_set(each).flags}
    yield from (values_of[name] for name in names)


READS_INT = ("FIONREAD", "TIOCOUTQ", "TIOCGPGRP", "TIOCGSID", "TIOCGETD", "TIOCMGET", "TIOCGPTN",
    "TIOCGPTLCK", "TIOCGPKT", "TIOCGEXCL", "SIOCATMARK", "SIOCGPGRP", "BLKSSZGET", "BLKROGET",
    "BLKSECTGET", "FIGETBSZ", "TIOCGSOFTCAR", "RNDGETENTCNT", "TUNGETFEATURES")  # fmt: skip
GIVES_INT = ("FIONBIO", "FIOASYNC", "TIOCSPGRP", "TIOCSETD", "TIOCSPTLCK", "TIOCPKT", "TIOCMSET",
    "TIOCMBIS", "TIOCMBIC", "SIOCSPGRP", "TIOCSSOFTCAR", "BLKROSET", "FIBMAP")  # fmt: skip
NOTHING = ("FIOCLEX", "FIONCLEX", "TIOCNOTTY", "TIOCEXCL", "TIOCNXCL", "TIOCSBRK", "TIOCCBRK",
    "BLKRRPART", "FIFREEZE", "FITHAW", "BLKFLSBUF", "NS_GET_USERNS", "NS_GET_PARENT",
    "NS_GET_NSTYPE", "TIOCVHANGUP")  # fmt: skip
NUMBERS = ("TCSBRK", "TCSBRKP", "TIOCSCTTY", "TCXONC", "TCFLSH", "FICLONE", "TIOCGPTPEER")


@cache
def structures() -> dict[int, tuple[str, Phase]]:
    """Return the structure of each request that has one, and when it is there."""
    found = {
        "TCGETS": ("termios", Phase.EXIT),
        "TCSETS": ("termios", Phase.ENTRY),
        "TCSETSW": ("termios", Phase.ENTRY),
        "TCSETSF": ("termios", Phase.ENTRY),
        "TCGETS2": ("termios2", Phase.EXIT),
        "TCSETS2": ("termios2", Phase.ENTRY),
        "TCSETSW2": ("termios2", Phase.ENTRY),
        "TCSETSF2": ("termios2", Phase.ENTRY),
        "TCGETA": ("termio", Phase.EXIT),
        "TCSETA": ("termio", Phase.ENTRY),
        "TIOCGWINSZ": ("winsize", Phase.EXIT),
        "TIOCSWINSZ": ("winsize", Phase.ENTRY),
    }
    return {next(requests(name)): entry for name, entry in found.items()}


@cache
def _cases() -> dict[int, Callable[[View, int], str | None]]:
    cases: dict[int, Callable[[View, int], str | None]] = {}
    cases |= dict.fromkeys(requests(*READS_INT), _reads_int)
    cases |= dict.fromkeys(requests(*GIVES_INT), _gives_int)
    cases |= dict.fromkeys(requests(*NOTHING), lambda view, value: None)
    cases |= dict.fromkeys(requests(*NUMBERS), lambda view, value: str(signed(value, 32)))
    return cases


def _int_at(view: View, address: int, phase: Phase) -> str:
    number = view.number(address, 4, phase) if address else None
    return pointer(address) if number is None else f"[{signed(number, 32)}]"


def _reads_int(view: View, value: int) -> str:
    return _int_at(view, value, Phase.EXIT)


def _gives_int(view: View, value: int) -> str:
    return _int_at(view, value, Phase.ENTRY)


@makes("ioctl")
def _argument(place: Place) -> Shown:
    request_at = place.position()

    def shown(view: View, value: int) -> str | None:
        request = view.args[request_at] & LOW
        if request in structures():
            name, phase = structures()[request]
            return at(view, value, name, phase)
        case = _cases().get(request)
        return case(view, value) if case else hexed(value)

    return shown


def _characters(data: bytes) -> str:
    return f'"{"".join(f"{chr(92)}x{byte:02x}" for byte in data)}"'


@decodes("termios", "termios2", "termio")
def _termios(view: View, data: bytes) -> str:
    name = {36: "termios", 44: "termios2", 18: "termio"}.get(len(data), "termios")
    found = values(view, name, data)
    control = found["c_cflag"]
    speed = name_set("speed").by_value.get(control & 0o10017, hexed(control & 0o10017))
    size = name_set("csize").by_value.get(control & 0o60, "CS5")
    rest = control & ~(0o10017 | 0o60 | 0o2003600000 & ~0o10000000000)
    flags = name_set("cflag").of_flags(rest) if rest else ""
    parts = [f"c_iflag={name_set('iflag').of_flags(found['c_iflag'])}"]
    parts.append(f"c_oflag={_output(found['c_oflag'])}")
    parts.append(f"c_cflag={'|'.join(filter(None, (speed, size, flags)))}")
    parts.append(f"c_lflag={name_set('lflag').of_flags(found['c_lflag'])}")
    if not view.verbose:
        return f"{{{', '.join(parts)}, ...}}"
    parts.append(f"c_line={found['c_line']}")
    start = 9 if name == "termio" else 17
    parts.append(f"c_cc={_characters(data[start : start + (8 if name == 'termio' else 19)])}")
    return f"{{{', '.join(parts)}}}"


DELAYS = (
    ("NLDLY", 0o400, {0: "NL0", 0o400: "NL1"}),
    ("CRDLY", 0o3000, {0: "CR0", 0o1000: "CR1", 0o2000: "CR2", 0o3000: "CR3"}),
    ("TABDLY", 0o14000, {0: "TAB0", 0o4000: "TAB1", 0o10000: "TAB2", 0o14000: "TAB3"}),
    ("BSDLY", 0o20000, {0: "BS0", 0o20000: "BS1"}),
    ("VTDLY", 0o40000, {0: "VT0", 0o40000: "VT1"}),
    ("FFDLY", 0o100000, {0: "FF0", 0o100000: "FF1"}),
)


def _output(value: int) -> str:
    delays = [names[value & mask] for _, mask, names in DELAYS]
    rest = value & 0o377 & ~0o400
    flags = name_set("oflag").parts(rest)[0]
    return "|".join([*delays, *flags])
