"""Signals and ends of threads between system calls, as strace prints them."""

from __future__ import annotations

import os
import signal
import struct

from scopetrace.model.names import error_name
from scopetrace.model.signal_codes import code_name
from scopetrace.syscalls.call import X32_MARK, Abi
from scopetrace.syscalls.rows import row
from scopetrace.syscalls.signals import signal_name

SI_USER, SI_KERNEL, SI_QUEUE, SI_TIMER = 0, 0x80, -1, -2
FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGTRAP)
CLD_EXITED = 1
_HEAD = struct.Struct("=iii")
_SENDER = struct.Struct("=iI")
_CHILD = struct.Struct("=iIi4xqq")
_POLL = struct.Struct("=qi")
_TIMER = struct.Struct("=ii")
_SYSCALL = struct.Struct("=QiI")
_VALUE = struct.Struct("=Q")
ARCHES = {
    0xC000003E: ("AUDIT_ARCH_X86_64", Abi.X86_64),
    0x40000003: ("AUDIT_ARCH_I386", Abi.I386),
}
BYTES = 48
"""Of a siginfo_t (x86-64) that are used."""


def _value(data: bytes) -> str:
    """Return what sigqueue(3) or a timer passed, if it is not 0."""
    (pointer,) = _VALUE.unpack_from(data, 24)
    number = pointer & 0xFFFFFFFF
    number -= (number & 0x80000000) << 1
    return f", si_int={number}, si_ptr={pointer:#x}" if pointer else ""


def _child(data: bytes, code: int) -> str:
    pid, uid, status, user, system = _CHILD.unpack_from(data, 16)
    status = status if code == CLD_EXITED else signal_name(status)
    times = f"si_utime={user}, si_stime={system}"
    return f", si_pid={pid}, si_uid={uid}, si_status={status}, {times}"


def _fault(data: bytes) -> str:
    (address,) = _VALUE.unpack_from(data, 16)
    return f", si_addr={f'{address:#x}' if address else 'NULL'}"


def _details(number: int, code: int, data: bytes) -> str:
    if code == SI_TIMER:
        timer, overrun = _TIMER.unpack_from(data, 16)
        return f", si_timerid={timer:#x}, si_overrun={overrun}{_value(data)}"
    if code <= SI_USER:
        pid, uid = _SENDER.unpack_from(data, 16)
        return f", si_pid={pid}, si_uid={uid}{_value(data) if code == SI_QUEUE else ''}"
    if code == SI_KERNEL and number not in FAULTS:
        return ""
    return _of_kernel(number, code, data)


def _of_kernel(number: int, code: int, data: bytes) -> str:
    if number == signal.SIGCHLD:
        return _child(data, code)
    if number in FAULTS:
        return _fault(data)
    if number == signal.SIGIO:
        band, fd = _POLL.unpack_from(data, 16)
        return f", si_band={band}, si_fd={fd}"
    if number == signal.SIGSYS:
        return _refused(*_SYSCALL.unpack_from(data, 16))
    return ""


def _refused(address: int, number: int, arch: int) -> str:
    """Return what a SIGSYS says: the call that was refused, and its ABI."""
    name, abi = ARCHES.get(arch, (f"{arch:#x}", Abi.X86_64))
    found = row(Abi.X32 if number & X32_MARK else abi, number & ~X32_MARK)
    call = f"__NR_{found.name}" if found and arch in ARCHES else str(number)
    return f", si_call_addr={address:#x}, si_syscall={call}, si_arch={name}"


def signal_line(data: bytes) -> str:
    """Return the line of a signal, from its siginfo_t: `--- SIGCHLD {si_signo=SIGCHLD, …} ---`."""
    data = data.ljust(BYTES, b"\0")
    number, error, code = _HEAD.unpack_from(data)
    name = signal_name(number)
    details = _details(number, code, data)
    errno = f", si_errno={error_name(error)}" if error else ""
    return f"--- {name} {{si_signo={name}, si_code={code_name(number, code)}{errno}{details}}} ---"


def end_line(status: int) -> str:
    """Return the line of a thread's end, from the status word of wait(2)."""
    if os.WIFSIGNALED(status):
        core = " (core dumped)" if os.WCOREDUMP(status) else ""
        return f"+++ killed by {signal_name(os.WTERMSIG(status))}{core} +++"
    return f"+++ exited with {os.WEXITSTATUS(status)} +++"
