"""What a call returned: a number, an error with its meaning, or that it did not return."""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import errorcode
from functools import cache

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.files import open_flags
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.numbers import fd, seconds
from scopetrace.syscalls.processes import dumpable, io_priority, personality, policy
from scopetrace.syscalls.quote import hexed, permissions
from scopetrace.syscalls.signals import signal_name, signal_set
from scopetrace.syscalls.structures import at
from scopetrace.syscalls.view import View
from scopetrace.syscalls.waiting import poll_result, select_result

LOW = 0xFFFFFFFF
LAST_ERROR = 4095
RESTARTS = {
    512: "ERESTARTSYS (To be restarted if SA_RESTART is set)",
    513: "ERESTARTNOINTR (To be restarted)",
    514: "ERESTARTNOHAND (To be restarted if no handler)",
    516: "ERESTART_RESTARTBLOCK (Interrupted by signal)",
}
NAMES = {35: "EDEADLK", 95: "EOPNOTSUPP", 524: "ENOTSUPP"}
Result = Callable[[View, int], str]


@cache
def _error(number: int) -> str:
    if number in RESTARTS:
        return f"? {RESTARTS[number]}"
    name = NAMES.get(number) or errorcode.get(number)
    return f"-1 {name} ({os.strerror(number)})" if name else f"-1 (errno {number})"


def _decimal(view: View, result: int) -> str:
    return str(result)


def _pointer(view: View, result: int) -> str:
    return hexed(result & LOW if view.abi is Abi.I386 else result & 0xFFFFFFFFFFFFFFFF)


def _fcntl(view: View, result: int) -> str:
    command = view.args[1] & LOW
    if command == 1:
        flags = name_set("fdflags").of_flags(result)
        return f"{hexed(result)} (flags {flags})" if result else "0"
    if command == 3:
        return f"{hexed(result)} (flags {open_flags(result)})"
    return FCNTL.get(command, _decimal)(view, result)


def _named(text: str, result: int) -> str:
    return f"{hexed(result)} ({text})"


FCNTL: dict[int, Result] = {
    0: fd,
    0x406: fd,
    0x401: lambda view, result: _named(name_set("lease").value(result), result),
    0x40A: lambda view, result: _named("seals " + name_set("seal").of_flags(result), result),
    11: lambda view, result: f"{result} ({signal_name(result)})" if result else "0",
}


def _poll(view: View, result: int) -> str:
    return f"{result} ({poll_result(view)})" if result else "0 (Timeout)"


def _ppoll(view: View, result: int) -> str:
    left = ""
    if view.args[2]:
        name = "timespec64" if view.call.number == 414 else "timespec"
        text = at(view, view.args[2], name, Phase.EXIT)
        left = f", left {text}" if text.startswith("{") else ""
    return f"{result} ({poll_result(view)}{left})" if result else "0 (Timeout)"


def _select(view: View, result: int) -> str:
    name = "timeval"
    if view.call.number in (270, 308, 413):
        name = "timespec64" if view.call.number == 413 else "timespec"
    text = select_result(view, name)
    return f"{result} ({text})" if text else str(result)


def _adjtimex(view: View, result: int) -> str:
    name = name_set("adjtimex_state").by_value.get(result)
    return f"{result} ({name})" if name else str(result)


def _membarrier(view: View, result: int) -> str:
    if view.args[0] or not result:
        return str(result)
    return _named(name_set("membarrier").of_flags(result), result)


def _mask(view: View, result: int) -> str:
    old = "old " if view.call.number == SSETMASK else ""
    return f"{hexed(result & LOW)} ({old}mask {signal_set(result & LOW, 32)})"


def _segment(view: View, result: int) -> str:
    number = view.number(view.args[0], 4, Phase.EXIT)
    return str(result) if number is None else f"{result} (entry_number={number})"


def _prctl(view: View, result: int) -> str:
    option = view.args[0] & LOW
    if option == PR_GET_DUMPABLE:
        return f"{result} ({dumpable(result)})"
    if option == PR_GET_SECUREBITS:
        return _named(name_set("secbits").of_flags(result), result) if result else "0"
    return str(result)


PR_GET_DUMPABLE, PR_GET_SECUREBITS = 3, 27
SSETMASK = 69

RESULTS: dict[str, Result] = {
    "ptr": _pointer,
    "fd": fd,
    "octal": lambda view, result: permissions(result),
    "fcntl": _fcntl,
    "poll": _poll,
    "ppoll": _ppoll,
    "select": _select,
    "adjtimex": _adjtimex,
    "membarrier": _membarrier,
    "segment": _segment,
    "prctl": _prctl,
    "time": lambda view, result: f"{result} ({seconds(result)[4:-3]})",
    "sigmaskresult": _mask,
    "ioprio": lambda view, result: f"{result} ({io_priority(result)})",
    "personality": lambda view, result: _named(personality(result & LOW), result),
    "schedresult": lambda view, result: f"{result} ({policy(result)})",
    "signalresult": lambda view, result: f"{result} ({signal_name(result)})",
    "uid": lambda view, result: str(result & LOW),
    "gid": lambda view, result: str(result & LOW),
}


def returned(kind: str) -> Result:
    """Return the function that shows what a call of a kind returned."""
    shown = RESULTS.get(kind, _decimal)

    def result(view: View, value: int) -> str:
        if -LAST_ERROR <= value < 0:
            return _error(-value)
        return shown(view, value)

    return result
