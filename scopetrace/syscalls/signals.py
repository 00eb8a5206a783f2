"""Signals: their names, sets of them, handlers, and what a siginfo says."""

from __future__ import annotations

import signal

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import hexed, pointer, signed
from scopetrace.syscalls.structures import values
from scopetrace.syscalls.view import Place, Shown, View, decodes, makes, shows

LOW = 0xFFFFFFFF
FIRST_REALTIME, SIGNALS = 32, 64
SA_RESTORER = 0x04000000
HANDLERS = {0: "SIG_DFL", 1: "SIG_IGN"}
NAMES = {number.value: number.name for number in signal.Signals if number.value < FIRST_REALTIME}


def signal_name(number: int) -> str:
    """Return the name of a signal as strace has it: SIGINT, SIGRT_1, SIGRTMIN."""
    if number in NAMES:
        return NAMES[number]
    if number == FIRST_REALTIME:
        return "SIGRTMIN"
    if FIRST_REALTIME < number <= SIGNALS:
        return f"SIGRT_{number - FIRST_REALTIME}"
    return str(number)


@shows("signal")
def _signal(view: View, value: int) -> str:
    return signal_name(signed(value, 32))


def signal_set(mask: int, width: int = SIGNALS) -> str:
    """Return a set of signals: [INT TERM], ~[RTMIN RT_1], []."""
    names = [n for n in range(1, width + 1) if mask >> (n - 1) & 1]
    inverted = len(names) >= width * 2 // 3
    if inverted:
        names = [n for n in range(1, width + 1) if n not in set(names)]
    text = " ".join(signal_name(number)[3:] for number in names)
    return f"{'~' if inverted else ''}[{text}]"


@makes("sigset")
def _sigset(place: Place) -> Shown:
    size_at, phase = place.position(), place.phase
    texts: dict[bytes, str] = {}

    def shown(view: View, address: int) -> str:
        size = view.args[size_at]
        data = view.read(address, min(size, 8), phase) if address and size else None
        if data is None:
            return pointer(address)
        text = texts.get(data)
        if text is None:
            text = texts[data] = signal_set(int.from_bytes(data, "little"), 8 * len(data))
        return text

    return shown


@shows("oldmask")
def _old_mask(view: View, value: int) -> str:
    return signal_set(value & LOW, 32)


def handler(value: int) -> str:
    """Return the address of a handler, or SIG_DFL or SIG_IGN."""
    return HANDLERS.get(value) or pointer(value)


@shows("sighandler")
def _handler(view: View, value: int) -> str:
    return handler(value)


def _action(view: View, name: str, data: bytes, mask: int, width: int) -> str:
    found = values(view, name, data)
    flags = found["sa_flags"]
    parts = [f"sa_handler={handler(found['sa_handler'])}", f"sa_mask={signal_set(mask, width)}"]
    parts.append(f"sa_flags={name_set('sa').of_flags(flags)}")
    if flags & SA_RESTORER:
        parts.append(f"sa_restorer={pointer(found['sa_restorer'])}")
    return f"{{{', '.join(parts)}}}"


@decodes("sigaction")
def _sigaction(view: View, data: bytes) -> str:
    start = 3 * view.abi.word
    mask = int.from_bytes(data[start : start + 8], "little")
    return _action(view, "sigaction", data, mask, SIGNALS)


@decodes("old_sigaction")
def _old_sigaction(view: View, data: bytes) -> str:
    mask = int.from_bytes(data[4:8], "little")
    return _action(view, "old_sigaction", data, mask, 32)


FAULTS = ("SIGILL", "SIGFPE", "SIGSEGV", "SIGBUS", "SIGTRAP")
SI_TIMER, SI_USER, SI_TKILL, SI_QUEUE = -2, 0, -6, -1


def _code(name: str, code: int) -> str:
    signed_names = {signed(v, 32): k for v, k in name_set("si_code").by_value.items()}
    general = signed_names.get(code)
    if general or f"si_code_{name}" not in CODES:
        return general or f"{hexed(code & LOW)} /* SI_??? */"
    return name_set(f"si_code_{name}").value(code)


CODES = {
    f"si_code_{name}"
    for name in ("SIGILL", "SIGFPE", "SIGSEGV", "SIGBUS", "SIGTRAP", "SIGCHLD", "SIGPOLL", "SIGSYS")
}


def _child(view: View, data: bytes, start: int, code: int) -> list[str]:
    clock = 4 if view.abi is Abi.I386 else 8  # x32 has the clock_t of x86-64, aligned to 4
    pid, uid, status = (_int(data, start + 4 * n) for n in range(3))
    times = start + 12 + (4 if view.abi.word == 8 else 0)
    user, system = (
        int.from_bytes(data[times + clock * n : times + clock * (n + 1)], "little") for n in (0, 1)
    )
    ended = str(status & LOW if status < 0 else status) if code == 1 else signal_name(status)
    parts = [f"si_pid={pid}", f"si_uid={uid & LOW}", f"si_status={ended}"]
    return [*parts, f"si_utime={user}", f"si_stime={system}"]


def _int(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little", signed=True)


def _sender(data: bytes, start: int) -> list[str]:
    return [f"si_pid={_int(data, start)}", f"si_uid={_int(data, start + 4) & LOW}"]


@decodes("siginfo")
def siginfo(view: View, data: bytes) -> str:
    """Return a siginfo as strace shows it: what the code says is there."""
    number, error, code = _int(data, 0), _int(data, 4), _int(data, 8)
    name = signal_name(number) if number else "0"
    start = 16 if view.abi.word == 8 else 12
    if not number:
        return "{}"
    parts = [f"si_signo={name}", f"si_code={_code(name, code)}"]
    if error:
        parts.append(f"si_errno={error}")
    return f"{{{', '.join([*parts, *_details(view, data, start, name, code)])}}}"


def _details(view: View, data: bytes, start: int, name: str, code: int) -> list[str]:
    word = view.abi.word
    if name == "SIGCHLD" and code > 0:
        return _child(view, data, start, code)
    if name in FAULTS and code > 0:
        return [f"si_addr={pointer(int.from_bytes(data[start : start + word], 'little'))}"]
    if code in (SI_USER, SI_TKILL):
        return _sender(data, start)
    number, address = _int(data, start + 8), _pointer(data, start + 8, word)
    value = f"si_int={number}, si_ptr={address}"
    if code == SI_TIMER:
        return [
            f"si_timerid={hexed(_int(data, start))}",
            f"si_overrun={_int(data, start + 4)}",
            value,
        ]
    has_value = any(data[start + 8 : start + 8 + word])
    return [*_sender(data, start), *([value] if has_value else [])]


def _pointer(data: bytes, at: int, word: int) -> str:
    return pointer(int.from_bytes(data[at : at + word], "little"))


@decodes("sigevent")
def _sigevent(view: View, data: bytes) -> str:
    found = values(view, "sigevent", data)
    value, notify = found["value"], found["notify"]
    parts = []
    if value:
        number = signed(value, 32)
        parts.append(f"sigev_value={{sival_int={number}, sival_ptr={pointer(value)}}}")
    parts.append(
        f"sigev_signo={signal_name(found['signo'])}"
        if notify in (0, 4)
        else f"sigev_signo={found['signo']}"
    )
    parts.append(f"sigev_notify={name_set('sigev').value(notify)}")
    if notify == 4:
        parts.append(f"sigev_notify_thread_id={found['tid']}")
    return f"{{{', '.join(parts)}}}"


@makes("sigmaskpair")
def _mask_pair(place: Place) -> Shown:
    """The signal mask of pselect6 and its size, which stand in memory."""

    def shown(view: View, address: int) -> str:
        data = view.read(address, 2 * view.abi.word, Phase.ENTRY) if address else None
        if data is None:
            return pointer(address)
        mask_at, size = (
            int.from_bytes(data[at : at + view.abi.word], "little") for at in (0, view.abi.word)
        )
        mask = view.number(mask_at, 8, Phase.ENTRY) if mask_at else None
        text = pointer(mask_at) if mask is None else signal_set(mask)
        return f"{{sigmask={text}, sigsetsize={size}}}"

    return shown
