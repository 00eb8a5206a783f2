"""A small ptrace recorder of system calls in Python: the plan of copying, followed literally.

It is the second opinion of the engine, and lets the lines of `render` be compared with strace's
without a session.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import NamedTuple

from scopetrace.syscalls.call import Abi, Call, Phase, Piece
from scopetrace.syscalls.copies import DIRECT, NONE, PACKED, Copy, Rule, plan
from scopetrace.syscalls.multiplexed import SOCKET_CALLS

TRACEME, SYSCALL, SETOPTIONS, GET_SYSCALL_INFO = 0, 24, 0x4200, 0x420E
GOOD, FORK, VFORK, CLONE, EXEC, EXIT_KILL = 1, 2, 4, 8, 16, 0x100000
OPTIONS = GOOD | FORK | VFORK | CLONE | EXEC | EXIT_KILL
SYSCALL_STOP = signal.SIGTRAP | 0x80
INFO = struct.Struct("=B3xIQQ56s")
AUDIT_ARCH_I386 = 0x40000003
X32_MARK = 0x40000000
LIMIT = 65536
"""Bytes of one buffer that are copied."""
VECTORS = 1024
"""Elements of one array that are followed."""
PAGE = 4096
CHILD_FAILED = 127

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


class Traced(NamedTuple):
    """One call of one thread."""

    tid: int
    call: Call


@cache
def plans() -> Mapping[tuple[int, int], list[Copy]]:
    """Return the copies of each call by ABI and number, from the packed plan."""
    found = defaultdict(list)
    for (
        abi,
        phase,
        argument,
        rule,
        number,
        length,
        when,
        through,
        most,
        *rest,
    ) in PACKED.iter_unpack(plan(environment=True)):
        size, mask, value = rest
        found[abi, number].append(
            Copy(argument, Phase(phase), Rule(rule), size, length, through, when, mask, value, most)
        )
    return found


@dataclass
class Copier:
    """Copies what the plan of one call says out of a stopped thread."""

    tid: int
    abi: Abi
    args: tuple[int, ...]
    result: int = 0
    phase: Phase = Phase.ENTRY
    shift: int = 0
    pieces: list[Piece] = field(default_factory=list)

    def read(self, address: int, size: int) -> tuple[bytes, bool]:
        """Return the readable bytes at an address, and whether they end at a fault."""
        wanted, data = min(size, LIMIT), b""
        fd = os.open(f"/proc/{self.tid}/mem", os.O_RDONLY)
        try:
            while len(data) < wanted:
                at = address + len(data)
                part = os.pread(fd, min(wanted - len(data), PAGE - at % PAGE), at)
                if not part:
                    return data, True
                data += part
        except (OSError, OverflowError):
            return data, True
        finally:
            os.close(fd)
        return data, False

    def add(self, argument: int, address: int, size: int) -> bytes:
        """Copy `size` bytes as a piece, and return what could be read."""
        if size <= 0 or not address:
            return b""
        data, fault = self.read(address, size)
        if data:
            self.pieces.append(Piece(argument + self.shift, self.phase, address, data, fault))
        return data

    def word(self, address: int) -> int | None:
        data, _ = self.read(address, self.abi.word)
        return int.from_bytes(data, "little") if len(data) == self.abi.word else None

    def make(self, copies: Sequence[Copy]) -> None:
        for copy in copies:
            if copy.when != NONE and self.args[copy.when] & copy.mask != copy.value:
                continue
            address: int | None = self.args[copy.argument]
            if copy.phase is self.phase and address:
                if copy.through != DIRECT:
                    address = self.word(address + copy.through)
                if address:
                    RULES[copy.rule](self, copy, address)

    def fixed(self, copy: Copy, address: int) -> None:
        self.add(copy.argument, address, copy.size)

    def string(self, copy: Copy, address: int) -> None:
        data, fault = b"", False
        while len(data) < copy.size and b"\0" not in data and not fault:
            part, fault = self.read(address + len(data), min(64, copy.size - len(data)))
            data += part
        end = data.find(b"\0") + 1
        if data:
            whole = data[:end] if end else data
            self.pieces.append(
                Piece(copy.argument + self.shift, self.phase, address, whole, fault and not end)
            )

    def length(self, copy: Copy, address: int) -> None:
        self.add(copy.argument, address, self.args[copy.length] * copy.size)

    def by_result(self, copy: Copy, address: int) -> None:
        self.add(copy.argument, address, self.result * copy.size)

    def length_at(self, copy: Copy, address: int) -> None:
        data, _ = self.read(self.args[copy.length], 4)
        self.add(copy.argument, address, min(int.from_bytes(data, "little"), copy.size))

    def pointers(self, copy: Copy, address: int) -> None:
        word = self.abi.word
        array = self.add(copy.argument, address, min(self.args[copy.length], VECTORS) * word)
        for at in range(0, len(array) - word + 1, word):
            self.add(copy.argument, int.from_bytes(array[at : at + word], "little"), copy.size)

    def strings(self, copy: Copy, address: int) -> None:
        word = self.abi.word
        found = []
        for position in range(VECTORS):
            pointer = self.word(address + position * word)
            if not pointer:
                break
            found.append(pointer)
        self.add(copy.argument, address, (len(found) + 1) * word)
        for pointer in found:
            self.string(copy, pointer)

    def bases(self, argument: int, address: int, elements: int, total: int) -> None:
        word = self.abi.word
        array = self.add(argument, address, min(elements, VECTORS) * 2 * word)
        for at in range(0, len(array) - 2 * word + 1, 2 * word):
            base = int.from_bytes(array[at : at + word], "little")
            size = int.from_bytes(array[at + word : at + 2 * word], "little")
            self.add(argument, base, min(size, total))
            total -= min(size, total)

    def budget(self, at_exit: int) -> int:
        return LIMIT if self.phase is Phase.ENTRY else max(at_exit, 0)

    def iovec(self, copy: Copy, address: int) -> None:
        elements = self.args[copy.length]
        self.bases(copy.argument, address, elements, self.budget(self.result))

    def message(self, argument: int, address: int, total: int, size: int) -> bytes:
        data = self.add(argument, address, size)
        words = struct.Struct("<QI4xQQQQI" if self.abi.word == 8 else "<IIIIIII")
        if len(data) < words.size:
            return data
        name, name_size, vector, elements, control, control_size, _ = words.unpack_from(data)
        self.add(argument, name, min(name_size, 128))
        self.bases(argument, vector, elements, total)
        self.add(argument, control, control_size)
        return data

    def msghdr(self, copy: Copy, address: int) -> None:
        size = 56 if self.abi.word == 8 else 28
        self.message(copy.argument, address, self.budget(self.result), size)

    def mmsghdr(self, copy: Copy, address: int) -> None:
        size = 64 if self.abi.word == 8 else 32
        length_at = 56 if self.abi.word == 8 else 28
        elements = min(self.budget(self.result), self.args[copy.length], VECTORS)
        for at in range(address, address + elements * size, size):
            length, _ = self.read(at + length_at, 4)
            self.message(copy.argument, at, self.budget(int.from_bytes(length, "little")), size)

    def bits(self, copy: Copy, address: int) -> None:
        bits = 8 * self.abi.word
        words = -(-min(self.args[copy.length] & 0x7FFFFFFF, LIMIT) // bits)
        self.add(copy.argument, address, words * self.abi.word)

    def ioctl(self, copy: Copy, address: int) -> None:
        request = self.args[copy.length] & 0xFFFFFFFF
        if request >> 30 & (1 if self.phase is Phase.ENTRY else 2):
            self.add(copy.argument, address, request >> 16 & 0x3FFF)

    def socketcall(self, copy: Copy, address: int) -> None:
        words = self.add(copy.argument, address, copy.size)
        found = SOCKET_CALLS.get(self.args[0])
        if found and len(words) == copy.size:
            args = struct.unpack("<6I", words.ljust(24, b"\0"))
            inner = replace(self, args=args, shift=8)
            inner.make(plans()[Abi.I386, found.number])


RULES = {
    Rule.FIXED: Copier.fixed,
    Rule.STRING: Copier.string,
    Rule.LENGTH: Copier.length,
    Rule.RESULT: Copier.by_result,
    Rule.LENGTH_AT: Copier.length_at,
    Rule.STRINGS: Copier.strings,
    Rule.IOVEC: Copier.iovec,
    Rule.MSGHDR: Copier.msghdr,
    Rule.MMSGHDR: Copier.mmsghdr,
    Rule.BITS: Copier.bits,
    Rule.POINTERS: Copier.pointers,
    Rule.IOCTL: Copier.ioctl,
    Rule.SOCKETCALL: Copier.socketcall,
}


def _ptrace(request: int, tid: int, address: int = 0, data: int = 0) -> int:
    found = _libc.ptrace(request, tid, address, data)
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(found)


def _started(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in range(3):
            os.dup2(nothing, standard)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        _ptrace(TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execve(argv[0], list(argv), dict(environment))
    finally:
        os._exit(CHILD_FAILED)


@dataclass
class Tracer:
    """Follows a program and all that it starts."""

    calls: list[Traced] = field(default_factory=list)
    open: dict[int, tuple[Copier, int]] = field(default_factory=dict)

    def syscall_stop(self, tid: int) -> None:
        buffer = ctypes.create_string_buffer(INFO.size)
        _ptrace(GET_SYSCALL_INFO, tid, INFO.size, ctypes.addressof(buffer))
        op, arch, _, _, rest = INFO.unpack(buffer.raw)
        if op == 1:
            self.entered(tid, arch, *struct.unpack("=7Q", rest))
        elif op == 2 and tid in self.open:
            self.finished(tid, struct.unpack_from("=q", rest)[0])

    def entered(self, tid: int, arch: int, number: int, *args: int) -> None:
        abi = Abi.I386 if arch == AUDIT_ARCH_I386 else Abi.X32 if number & X32_MARK else Abi.X86_64
        number &= ~X32_MARK
        self.open[tid] = copier, _ = Copier(tid, abi, args), number
        copier.make(plans().get((abi, number), []))

    def finished(self, tid: int, result: int | None) -> None:
        copier, number = self.open.pop(tid)
        if result is not None:
            copier.result, copier.phase = result, Phase.EXIT
            copier.make(plans().get((copier.abi, number), []))
        call = Call(copier.abi, number, copier.args, result, tuple(copier.pieces))  # type: ignore[arg-type]
        self.calls.append(Traced(tid, call))

    def follow(self, first: int) -> None:
        """Let the program run until its last thread has ended."""
        os.waitpid(first, 0)
        _ptrace(SETOPTIONS, first, 0, OPTIONS)
        _ptrace(SYSCALL, first)
        alive = {first}
        while alive:
            tid, status = os.waitpid(-1, 0x40000000)
            alive.add(tid)
            if os.WIFSTOPPED(status):
                self.stopped(tid, status)
                continue
            alive.discard(tid)
            if tid in self.open:
                self.finished(tid, None)

    def stopped(self, tid: int, status: int) -> None:
        stop, event = os.WSTOPSIG(status), status >> 16
        try:
            if stop == SYSCALL_STOP:
                self.syscall_stop(tid)
            passed = 0 if event or stop in (SYSCALL_STOP, signal.SIGTRAP, signal.SIGSTOP) else stop
            _ptrace(SYSCALL, tid, 0, passed)
        except ProcessLookupError:
            pass


def traced(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Traced]:
    """Run a program and return its calls from its exec on, in the order in which they ended."""
    tracer = Tracer()
    tracer.follow(_started(argv, environment))
    names = (traced.call.number == 59 for traced in tracer.calls)
    first = next((position for position, execs in zip(count(), names) if execs), 0)
    return iter(tracer.calls[first:])
