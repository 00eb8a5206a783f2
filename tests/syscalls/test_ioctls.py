"""Requests of ioctl(2), and what they take and give."""

from __future__ import annotations

import struct

import pytest

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.render import render

IOCTL = 16
INPUT = "c_iflag=ICRNL|IXON"
LOCAL = "c_lflag=ISIG|ICANON|ECHO|ECHOE|ECHOK|ECHOCTL|ECHOKE|IEXTEN"
OUTPUT = "c_oflag=NL0|CR0|TAB0|BS0|VT0|FF0"
USUAL = f"{INPUT}, {OUTPUT}|OPOST|ONLCR, c_cflag=B38400|CS8|CREAD, {LOCAL}"
CHARACTERS = bytes(range(65, 84))
MODES = struct.pack("=4I", 0x500, 5, 0xBF, 0x8A3B)
TERMIOS = MODES + b"\1" + CHARACTERS
TERMIOS2 = TERMIOS + struct.pack("=2I", 38400, 38400)
TERMIO = struct.pack("=4H", 0x500, 5, 0xBF, 0x8A3B) + b"\1" + CHARACTERS[:8] + b"\0"
READS_INT = {
    0x541B: "FIONREAD", 0x5411: "TIOCOUTQ", 0x540F: "TIOCGPGRP", 0x5429: "TIOCGSID",
    0x5424: "TIOCGETD", 0x5415: "TIOCMGET", 0x80045430: "TIOCGPTN", 0x80045439: "TIOCGPTLCK",
    0x80045438: "TIOCGPKT", 0x80045440: "TIOCGEXCL", 0x8905: "SIOCATMARK", 0x8904: "SIOCGPGRP",
    0x1268: "BLKSSZGET", 0x125E: "BLKROGET", 0x1267: "BLKSECTGET", 2: "FIGETBSZ",
    0x5419: "TIOCGSOFTCAR", 0x80045200: "RNDGETENTCNT", 0x800454CF: "TUNGETFEATURES",
}  # fmt: skip
GIVES_INT = {
    0x5421: "FIONBIO", 0x5452: "FIOASYNC", 0x5410: "TIOCSPGRP", 0x5423: "TIOCSETD",
    0x40045431: "TIOCSPTLCK", 0x5420: "TIOCPKT", 0x5418: "TIOCMSET", 0x5416: "TIOCMBIS",
    0x5417: "TIOCMBIC", 0x8902: "SIOCSPGRP", 0x541A: "TIOCSSOFTCAR", 0x125D: "BLKROSET",
    1: "FIBMAP",
}  # fmt: skip
NOTHING = {
    0x5451: "FIOCLEX", 0x5450: "FIONCLEX", 0x5422: "TIOCNOTTY", 0x540C: "TIOCEXCL",
    0x540D: "TIOCNXCL", 0x5427: "TIOCSBRK", 0x5428: "TIOCCBRK", 0x125F: "BLKRRPART",
    0xC0045877: "FIFREEZE", 0xC0045878: "FITHAW", 0x1261: "BLKFLSBUF", 0xB701: "NS_GET_USERNS",
    0xB702: "NS_GET_PARENT", 0xB703: "NS_GET_NSTYPE", 0x5437: "TIOCVHANGUP",
}  # fmt: skip
NUMBERS = {
    0x5409: "TCSBRK", 0x5425: "TCSBRKP", 0x540E: "TIOCSCTTY", 0x540A: "TCXONC", 0x540B: "TCFLSH",
    0x40049409: "FICLONE", 0x5441: "TIOCGPTPEER",
}  # fmt: skip


def shown(
    request: int,
    value: int = 0x100,
    data: bytes = b"",
    phase: Phase = Phase.EXIT,
    verbose: bool = False,
) -> str:
    """Return what a call shows of its request and behind it."""
    memory = (Piece(2, phase, value, data),) if data else ()
    made = Call(Abi.X86_64, IOCTL, (3, request, value & 2**64 - 1, 0, 0, 0), 0, memory)
    return render(made, verbose=verbose).removeprefix("ioctl(3, ").removesuffix(") = 0")


@pytest.mark.parametrize(("request_", "name"), READS_INT.items())
def test_a_number_that_the_kernel_wrote(request_: int, name: str) -> None:
    number = struct.pack("=i", -5)

    assert shown(request_, data=number) == f"{name}, [-5]"
    assert shown(request_, data=number, phase=Phase.ENTRY) == f"{name}, 0x100"
    assert shown(request_, 0) == f"{name}, NULL"


@pytest.mark.parametrize(("request_", "name"), GIVES_INT.items())
def test_a_number_that_the_kernel_reads(request_: int, name: str) -> None:
    number = struct.pack("=i", -5)

    assert shown(request_, data=number, phase=Phase.ENTRY) == f"{name}, [-5]"
    assert shown(request_, data=number) == f"{name}, 0x100"


@pytest.mark.parametrize(("request_", "name"), NOTHING.items())
def test_a_request_without_an_argument(request_: int, name: str) -> None:
    assert shown(request_) == name


@pytest.mark.parametrize(("request_", "name"), NUMBERS.items())
def test_a_request_whose_argument_is_a_number(request_: int, name: str) -> None:
    assert shown(request_, -2) == f"{name}, -2"


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (0x8B00, "SIOCSIWCOMMIT, 0x1"),
        (0x8B0D, "SIOCGIWPRIV, 0x1"),
        (0x1234, "_IOC(_IOC_NONE, 0x12, 0x34, 0), 0x1"),
        (0x40087FFF, "_IOC(_IOC_WRITE, 0x7f, 0xff, 0x8), 0x1"),
        (0xBFFF0102, "_IOC(_IOC_READ, 0x1, 0x2, 0x3fff), 0x1"),
        (0xFFFFFFFF, "_IOC(_IOC_READ|_IOC_WRITE, 0xff, 0xff, 0x3fff), 0x1"),
        (0x100005413, "TIOCGWINSZ, 0x1"),
        (0xFFFFFFFF00005451, "FIOCLEX"),
    ],
)
def test_a_request_is_a_name_or_its_parts_of_32_bits(request_: int, text: str) -> None:
    assert shown(request_, 1) == text


@pytest.mark.parametrize(
    ("request_", "name", "data", "phase"),
    [
        (0x5401, "TCGETS", TERMIOS, Phase.EXIT),
        (0x5402, "TCSETS", TERMIOS, Phase.ENTRY),
        (0x5403, "TCSETSW", TERMIOS, Phase.ENTRY),
        (0x5404, "TCSETSF", TERMIOS, Phase.ENTRY),
        (0x802C542A, "TCGETS2", TERMIOS2, Phase.EXIT),
        (0x402C542B, "TCSETS2", TERMIOS2, Phase.ENTRY),
        (0x402C542C, "TCSETSW2", TERMIOS2, Phase.ENTRY),
        (0x402C542D, "TCSETSF2", TERMIOS2, Phase.ENTRY),
        (0x5405, "TCGETA", TERMIO, Phase.EXIT),
        (0x5406, "TCSETA", TERMIO, Phase.ENTRY),
    ],
)
def test_the_modes_of_a_terminal(request_: int, name: str, data: bytes, phase: Phase) -> None:
    other = Phase.ENTRY if phase is Phase.EXIT else Phase.EXIT
    shown_bytes = "".join(f"\\x{byte:02x}" for byte in CHARACTERS[: 8 if data == TERMIO else 19])

    assert shown(request_, data=data, phase=phase) == f"{name}, {{{USUAL}, ...}}"
    assert shown(request_, data=data, phase=phase, verbose=True) == (
        f'{name}, {{{USUAL}, c_line=1, c_cc="{shown_bytes}"}}'
    )
    assert shown(request_, data=data, phase=other) == f"{name}, 0x100"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0o400, "NL1|CR0|TAB0|BS0|VT0|FF0"),
        (0o1000, "NL0|CR1|TAB0|BS0|VT0|FF0"),
        (0o2000, "NL0|CR2|TAB0|BS0|VT0|FF0"),
        (0o3000, "NL0|CR3|TAB0|BS0|VT0|FF0"),
        (0o4000, "NL0|CR0|TAB1|BS0|VT0|FF0"),
        (0o10000, "NL0|CR0|TAB2|BS0|VT0|FF0"),
        (0o14000, "NL0|CR0|TAB3|BS0|VT0|FF0"),
        (0o20000, "NL0|CR0|TAB0|BS1|VT0|FF0"),
        (0o40000, "NL0|CR0|TAB0|BS0|VT1|FF0"),
        (0o100000, "NL0|CR0|TAB0|BS0|VT0|FF1"),
        (0o200, "NL0|CR0|TAB0|BS0|VT0|FF0|OFDEL"),
        (0o1, "NL0|CR0|TAB0|BS0|VT0|FF0|OPOST"),
    ],
)
def test_a_terminal_waits_behind_characters(flags: int, text: str) -> None:
    data = struct.pack("=4I", 0, flags, 0, 0) + bytes(20)

    assert shown(0x5401, data=data) == (
        f"TCGETS, {{c_iflag=0, c_oflag={text}, c_cflag=B0|CS5, c_lflag=0, ...}}"
    )


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (0o20, "B0|CS6"),
        (0o40, "B0|CS7"),
        (0o60, "B0|CS8"),
        (0o1, "B50|CS5"),
        (0o17, "B38400|CS5"),
        (0o10001, "B57600|CS5"),
        (0o10017, "B4000000|CS5"),
        (0o100, "B0|CS5|CSTOPB"),
        (0o200, "B0|CS5|CREAD"),
        (0o4000, "B0|CS5|CLOCAL"),
        (0o20000000000, "B0|CS5|CRTSCTS"),
    ],
)
def test_a_terminal_has_a_speed_and_a_size_of_characters(flags: int, text: str) -> None:
    data = struct.pack("=4I", 0, 0, flags, 0) + bytes(20)

    assert shown(0x5401, data=data) == (
        f"TCGETS, {{c_iflag=0, {OUTPUT}, c_cflag={text}, c_lflag=0, ...}}"
    )


@pytest.mark.parametrize(
    ("request_", "name", "phase"),
    [(0x5413, "TIOCGWINSZ", Phase.EXIT), (0x5414, "TIOCSWINSZ", Phase.ENTRY)],
)
def test_the_size_of_a_window(request_: int, name: str, phase: Phase) -> None:
    assert shown(request_, data=struct.pack("=4H", 24, 80, 1, 2), phase=phase) == (
        f"{name}, {{ws_row=24, ws_col=80, ws_xpixel=1, ws_ypixel=2}}"
    )
