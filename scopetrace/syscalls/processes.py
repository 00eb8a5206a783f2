"""What calls about processes take and give: clone, wait, limits, capabilities, futexes."""

from __future__ import annotations

from collections.abc import Callable

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.kind import Kind
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.numbers import integer
from scopetrace.syscalls.quote import hexed, pointer, quoted, signed
from scopetrace.syscalls.signals import signal_name
from scopetrace.syscalls.structures import at, decoder, values
from scopetrace.syscalls.text import buffer_at, string_at
from scopetrace.syscalls.view import MAKERS, Place, Shown, View, decodes, makes, shows

LOW = 0xFFFFFFFF
SIGNAL = 0xFF
CLONE_PIDFD, CLONE_PARENT_SETTID, CLONE_SETTLS = 0x1000, 0x100000, 0x80000
CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID = 0x200000, 0x1000000
STOPPED, CONTINUED = 0x7F, 0xFFFF


@shows("hidden")
def _hidden(view: View, value: int) -> None:
    """Show nothing: another argument shows this one too."""


@makes("stackflags")
def _stack_and_flags(place: Place) -> Shown:
    """The stack of clone(2) and then its flags, in the order in which strace shows them."""
    flags_at = place.position()
    return lambda view, value: f"child_stack={pointer(value)}, {_clone_flags(view.args[flags_at])}"


def _clone_flags(value: int) -> str:
    names, rest = name_set("clone").parts(value & ~SIGNAL & LOW)
    parts = [*names, *([hexed(rest)] if rest else [])]
    if value & SIGNAL:
        parts.append(signal_name(value & SIGNAL))
    return f"flags={'|'.join(parts) or '0'}"


@makes("ptid")
def _parent_tid(place: Place) -> Shown:
    flags_at = place.position()

    def shown(view: View, address: int) -> str | None:
        flags = view.args[flags_at]
        if not flags & (CLONE_PARENT_SETTID | CLONE_PIDFD):
            return None
        name = "parent_tid" if flags & CLONE_PARENT_SETTID else "pidfd"
        number = view.number(address, 4, Phase.EXIT)
        return f"{name}={pointer(address) if number is None else f'[{signed(number, 32)}]'}"

    return shown


@makes("ctid")
def _child_tid(place: Place) -> Shown:
    flags_at = place.position()

    def shown(view: View, address: int) -> str | None:
        wanted = view.args[flags_at] & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)
        return f"child_tidptr={pointer(address)}" if wanted else None

    return shown


@makes("tls")
def _tls(place: Place) -> Shown:
    flags_at = place.position()

    def shown(view: View, address: int) -> str | None:
        if not view.args[flags_at] & CLONE_SETTLS:
            return None
        if view.abi is Abi.I386:
            return f"tls={at(view, address, 'user_desc', Phase.ENTRY)}"
        return f"tls={pointer(address)}"

    return shown


@makes("tlsctid")
def _tls_and_child_tid(place: Place) -> Shown:
    """The two last arguments of x86-64's clone(2), in the order in which strace shows them."""
    tls, child_tid, child_at = _tls(place), _child_tid(place), place.position(1)

    def shown(view: View, address: int) -> str | None:
        texts = (tls(view, address), child_tid(view, view.args[child_at]))
        return ", ".join(filter(None, texts)) or None

    return shown


@makes("clone_args")
def _clone3(place: Place) -> Shown:
    """The arguments of clone3, and what it wrote where they say."""
    size_at = place.position()

    def shown(view: View, address: int) -> str:
        size = view.args[size_at]
        data = view.read(address, min(size, 88), Phase.ENTRY) if size >= 64 else None
        if data is None:
            return pointer(address)
        return _clone_args(view, data.ljust(88, b"\0"), size)

    return shown


def _clone_args(view: View, data: bytes, size: int) -> str:
    found = values(view, "clone_args", data)
    flags = found["flags"]
    parts = [f"flags={name_set('clone3').of_flags(flags)}"]
    if flags & CLONE_PIDFD:
        parts.append(f"pidfd={pointer(found['pidfd'])}")
    if flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID):
        parts.append(f"child_tid={pointer(found['child_tid'])}")
    if flags & CLONE_PARENT_SETTID:
        parts.append(f"parent_tid={pointer(found['parent_tid'])}")
    parts.append(f"exit_signal={signal_name(found['exit_signal'])}")
    parts += [f"stack={pointer(found['stack'])}", f"stack_size={hexed(found['stack_size'])}"]
    if flags & CLONE_SETTLS:
        parts.append(f"tls={pointer(found['tls'])}")
    return f"{{{', '.join(parts)}}}{_clone3_results(view, found)}"


def _clone3_results(view: View, found: dict[str, int]) -> str:
    parts = []
    for name, flag in (("pidfd", CLONE_PIDFD), ("parent_tid", CLONE_PARENT_SETTID)):
        number = view.number(found[name], 4, Phase.EXIT) if found["flags"] & flag else None
        if number is not None:
            parts.append(f"{name}=[{signed(number, 32)}]")
    return f" => {{{', '.join(parts)}}}" if parts else ""


@makes("wstatus")
def _status(place: Place) -> Shown:
    """What ended or stopped a child: [{WIFEXITED(s) && WEXITSTATUS(s) == 0}]."""

    def shown(view: View, address: int) -> str:
        number = view.number(address, 4, Phase.EXIT) if address and view.result else None
        return pointer(address) if number is None else f"[{wait_status(number)}]"

    return shown


def wait_status(status: int) -> str:
    """Return what a status of wait(2) says, in the words of its macros."""
    low, high = status & STOPPED, status >> 8 & 0xFF
    if status & 0xFFFF == CONTINUED:
        return "{WIFCONTINUED(s)}"
    if status & 0xFF == STOPPED:
        text = f"{{WIFSTOPPED(s) && WSTOPSIG(s) == {_stop(high)}}}"
        return text + (
            f" | {PTRACE_EVENTS.get(status >> 16, hexed(status >> 16))} << 16"
            if status >> 16
            else ""
        )
    if low:
        core = " && WCOREDUMP(s)" if status & 0x80 else ""
        return f"{{WIFSIGNALED(s) && WTERMSIG(s) == {signal_name(low)}{core}}}"
    return f"{{WIFEXITED(s) && WEXITSTATUS(s) == {high}}}"


PTRACE_EVENTS = {
    1: "PTRACE_EVENT_FORK", 2: "PTRACE_EVENT_VFORK", 3: "PTRACE_EVENT_CLONE",
    4: "PTRACE_EVENT_EXEC", 5: "PTRACE_EVENT_VFORK_DONE", 6: "PTRACE_EVENT_EXIT",
    7: "PTRACE_EVENT_SECCOMP", 128: "PTRACE_EVENT_STOP",
}  # fmt: skip


def _stop(number: int) -> str:
    return f"{signal_name(number & 0x7F)} | 0x80" if number & 0x80 else signal_name(number)


INTERRUPTED = -4
"""EINTR: what a session has of a sleep that a signal ended."""


@makes("remaining", "remaining64")
def _remaining(place: Place) -> Shown:
    """What is left of a sleep, which the kernel says only if it was interrupted."""
    name = "timespec64" if place.kind.name == "remaining64" else "timespec"

    def shown(view: View, address: int) -> str:
        if (
            view.result is None
            or (view.result > -512 and view.result != INTERRUPTED)
            or not address
        ):
            return pointer(address)
        one = decoder(name, view.abi)
        data, _ = view.peek(address, Phase.EXIT)
        return one.text(view, data[: one.size]) if len(data) >= one.size else pointer(address)

    return shown


CAPABILITY_SETS = ("effective", "permitted", "inheritable")


@decodes("capheader")
def _capability_header(view: View, data: bytes) -> str:
    found = values(view, "capheader", data)
    version = name_set("capversion").value(found["version"])
    return f"{{version={version}, pid={found['pid']}}}"


@makes("capdata")
def _capabilities(place: Place) -> Shown:
    """Sets of capabilities; of newer versions two for each, the low bits first."""
    header_at, phase = place.position(), place.phase

    def shown(view: View, address: int) -> str:
        version = view.number(view.args[header_at], 4, Phase.ENTRY)
        count = 1 if version == 0x19980330 else 2
        data = view.read(address, 12 * count, phase) if address else None
        return pointer(address) if data is None else _capability_sets(data)

    return shown


def _capability_sets(data: bytes) -> str:
    parts = []
    for number, name in enumerate(CAPABILITY_SETS):
        words = [
            int.from_bytes(data[start + 4 * number : start + 4 * number + 4], "little")
            for start in range(0, len(data), 12)
        ]
        parts.append(f"{name}={capabilities(sum(w << 32 * n for n, w in enumerate(words)))}")
    return f"{{{', '.join(parts)}}}"


def capabilities(mask: int) -> str:
    """Return a set of capabilities as flags: 1<<CAP_CHOWN|…."""
    if not mask:
        return "0"
    names = name_set("capability").by_value
    low = "|".join(f"1<<{names[n]}" for n in range(32) if mask >> n & 1 and n in names)
    high = [n for n in range(32, 64) if mask >> n & 1]
    parts = [f"1<<{names[n]}" for n in high if n in names]
    rest = sum(1 << (n - 32) for n in high if n not in names)
    if rest:
        parts.append(hexed(rest))
    return "|".join(filter(None, [low, *parts]))


@shows("personality")
def _personality(view: View, value: int) -> str:
    return personality(value & LOW)


def personality(value: int) -> str:
    """Return a personality: its kind, then its flags."""
    if value == LOW:
        return "0xffffffff"
    kind = name_set("personality").by_value.get(value & 0xFF)
    rest = value & ~0xFF
    parts = [kind or f"{hexed(value & 0xFF)} /* PER_??? */"]
    if rest:
        parts.append(name_set("personality_flags").of_flags(rest))
    return "|".join(parts)


@shows("schedpolicy")
def _policy(view: View, value: int) -> str:
    return policy(value & LOW)


def policy(value: int) -> str:
    """Return a scheduling policy, with SCHED_RESET_ON_FORK in front of the rest."""
    name = name_set("sched").by_value.get(value & ~0x40000000)
    if name is None:
        return name_set("sched").value(value)
    return f"{name}|SCHED_RESET_ON_FORK" if value & 0x40000000 else name


@decodes("sched_param")
def _sched_param(view: View, data: bytes) -> str:
    return f"[{int.from_bytes(data[:4], 'little', signed=True)}]"


@decodes("utsname", "old_utsname", "oldold_utsname")
def _names(view: View, data: bytes) -> str:
    width = {45: 9}.get(len(data), 65)
    fields = ("sysname", "nodename", "release", "version", "machine", "domainname")
    texts = [
        f"{name}={quoted(data[n * width : (n + 1) * width].split(bytes(1))[0])}"
        for n, name in enumerate(fields)
        if n * width < len(data)
    ]
    return f"{{{', '.join(texts if view.verbose else [*texts[:2], '...'])}}}"


CPUS = 8


@makes("cpuset")
def _cpus(place: Place) -> Shown:
    """A set of CPUs: [0 1]."""
    phase, by = place.phase, place.kind.params[0]

    def shown(view: View, address: int) -> str:
        size = (view.result or 0) if by == "result" else view.args[place.position()]
        data = view.read(address, size, phase) if address and size else None
        if data is None:
            return pointer(address)
        mask = int.from_bytes(data, "little")
        return f"[{' '.join(str(n) for n in range(CPUS * size) if mask >> n & 1)}]"

    return shown


FUTEX_COMMAND = 0x7F
FUTEX_PRIVATE, FUTEX_CLOCK = 128, 256
FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP = 3, 4, 5
FUTEX_WAIT, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET = 0, 9, 10
FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI = 6, 7, 8
FUTEX_WAIT_REQUEUE_PI, FUTEX_CMP_REQUEUE_PI, FUTEX_LOCK_PI2 = 11, 12, 13
WITH_TIMEOUT = (FUTEX_WAIT, FUTEX_LOCK_PI, FUTEX_WAIT_BITSET, FUTEX_WAIT_REQUEUE_PI, FUTEX_LOCK_PI2)
WITH_COUNT = (FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP, FUTEX_CMP_REQUEUE_PI)
WITHOUT_VALUE = (FUTEX_LOCK_PI, FUTEX_UNLOCK_PI, FUTEX_TRYLOCK_PI, FUTEX_LOCK_PI2)
WITH_ADDRESS = (*WITH_COUNT, FUTEX_WAIT_REQUEUE_PI)
BITSETS = (FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET)
KNOWN = range(FUTEX_WAIT, FUTEX_LOCK_PI2 + 1)


def futex_operation(value: int) -> str:
    """Return the operation of a futex, with _PRIVATE and FUTEX_CLOCK_REALTIME."""
    name = name_set("futex").by_value.get(value & FUTEX_COMMAND)
    if name is None:
        return f"{hexed(value)} /* FUTEX_??? */"
    name += "_PRIVATE" if value & FUTEX_PRIVATE else ""
    rest = value & ~(FUTEX_COMMAND | FUTEX_PRIVATE)
    if rest & FUTEX_CLOCK:
        name, rest = f"{name}|FUTEX_CLOCK_REALTIME", rest & ~FUTEX_CLOCK
    return f"{name}|{hexed(rest)}" if rest else name


@shows("futexop")
def _futex_operation(view: View, value: int) -> str:
    return futex_operation(value & LOW)


def _command(view: View) -> int:
    return view.args[1] & FUTEX_COMMAND


@makes("futexval")
def _futex_value(place: Place) -> Shown:
    def shown(view: View, value: int) -> str | None:
        command = _command(view)
        if command in WITHOUT_VALUE:
            return None
        return str(value & LOW)

    return shown


@makes("futextimeout")
def _futex_timeout(place: Place) -> Shown:
    name = place.kind.params[0]

    def shown(view: View, value: int) -> str | None:
        command = _command(view)
        if command in WITH_TIMEOUT:
            return at(view, value, name, Phase.ENTRY)
        if command in WITH_COUNT:
            return str(value & LOW)
        return None if command in KNOWN else hexed(value)

    return shown


@makes("futexaddr")
def _futex_address(place: Place) -> Shown:
    def shown(view: View, value: int) -> str | None:
        command = _command(view)
        if command in WITH_ADDRESS:
            return pointer(value)
        return None if command in KNOWN else hexed(value)

    return shown


@makes("futexval3")
def _futex_value3(place: Place) -> Shown:
    def shown(view: View, value: int) -> str | None:
        command = _command(view)
        if command == FUTEX_WAKE_OP:
            return _wake_operation(value & LOW)
        if command in BITSETS:
            bits = value & LOW
            return "FUTEX_BITSET_MATCH_ANY" if bits == LOW else hexed(bits)
        if command in (FUTEX_CMP_REQUEUE, FUTEX_CMP_REQUEUE_PI):
            return str(value & LOW)
        return None if command in KNOWN else hexed(value)

    return shown


def _wake_operation(value: int) -> str:
    shift = "FUTEX_OP_OPARG_SHIFT<<28|" if value & 0x80000000 else ""
    operation = name_set("futex_wake_op").value(value >> 28 & 7)
    comparison = name_set("futex_wake_cmp").value(value >> 24 & 0xF)
    argument, compared = hexed(value >> 12 & 0xFFF), hexed(value & 0xFFF)
    return f"{shift}{operation}<<28|{argument}<<12|{comparison}<<24|{compared}"


@shows("resumed")
def _resumed(view: View, value: int) -> str:
    return "<... resuming interrupted system call ...>"


PRCTL_STRINGS = {15: Phase.ENTRY, 16: Phase.EXIT}
PRCTL_NO_ARGUMENTS = (3, 7, 21, 27, 30, 31, 32, 34, 42, 43, 44, 46, 51, 58, 56, 64)
PRCTL_INT_POINTERS = (2, 5, 9, 11, 19, 25, 37)
PRCTL_SETS = {22: "seccomp_mode", 26: "prctl_tsc", 6: "prctl_unalign"}


@makes("prctl")
def _prctl(place: Place) -> Shown:
    number = int(place.kind.params[0])
    return lambda view, value: _prctl_argument(view, view.args[0] & LOW, number, value)


def _prctl_argument(view: View, option: int, number: int, value: int) -> str | None:
    """Return one argument of prctl, or None if the option does not take it."""
    if option in PRCTL_NO_ARGUMENTS:
        return None
    if number == 2:
        return _prctl_first(view, option, value)
    return _prctl_other(view, option, number, value)


def _prctl_first(view: View, option: int, value: int) -> str:
    if option in PRCTL_STRINGS:
        return string_at(view, value, PRCTL_STRINGS[option], min(view.strings, 15))
    if option in PRCTL_INT_POINTERS:
        return _prctl_pointer(view, option, value)
    if option in PRCTL_SETS:
        return name_set(PRCTL_SETS[option]).value(value & LOW)
    if option == 1:
        return signal_name(signed(value, 32))
    if option in (23, 24):
        return name_set("capability").value(value & LOW)
    if option == 28:
        return name_set("secbits").of_flags(value)
    if option in PRCTL_FIRST:
        return PRCTL_FIRST[option](value)
    return str(value) if option in name_set("prctl").by_value else hexed(value)


DUMPABLE = ("SUID_DUMP_DISABLE", "SUID_DUMP_USER", "SUID_DUMP_ROOT")


def dumpable(value: int) -> str:
    """Return the name of what PR_SET_DUMPABLE takes."""
    known = 0 <= value < len(DUMPABLE)
    return DUMPABLE[value] if known else f"{hexed(value)} /* SUID_DUMP_??? */"


ANY_TRACER = (0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
"""-1, of 32 bits and of 64."""
PRCTL_FIRST: dict[int, Callable[[int], str]] = {
    47: lambda value: name_set("prctl_cap_ambient").value(value & LOW),
    33: lambda value: name_set("prctl_mce").value(value & LOW),
    35: lambda value: name_set("prctl_mm").value(value & LOW),
    0x53564D41: lambda value: name_set("prctl_vma").value(value & LOW),
    52: lambda value: name_set("prctl_spec").value(value & LOW),
    53: lambda value: name_set("prctl_spec").value(value & LOW),
    40: pointer,
    4: dumpable,
    0x59616D61: lambda value: "PR_SET_PTRACER_ANY" if value in ANY_TRACER else str(value),
    41: str,
}


def _prctl_pointer(view: View, option: int, value: int) -> str:
    number = view.number(value, 4, Phase.EXIT)
    if number is None:
        return pointer(value)
    if option == 2:
        return f"[{signal_name(number)}]"
    if option == 25:
        return f"[{name_set('prctl_tsc').value(number)}]"
    return f"[{signed(number, 32)}]"


PRCTL_ARGUMENTS = {38: 5, 39: 5, 41: 5, 47: 5, 33: 4, 35: 5, 52: 5, 53: 5, 0x53564D41: 5, 22: 3}
"""How many arguments an option takes, itself counted, if more than two."""
AMBIENT_OF_ONE = (1, 2, 3)
"""What PR_CAP_AMBIENT does with one capability: PR_CAP_AMBIENT_IS_SET, _RAISE, _LOWER."""


def _prctl_other(view: View, option: int, number: int, value: int) -> str | None:
    if number > PRCTL_ARGUMENTS.get(option, 2 if option in name_set("prctl").by_value else 5):
        return None
    if option == 47 and number == 3 and view.args[1] in AMBIENT_OF_ONE:
        return name_set("capability").value(value & LOW)
    if option == 0x53564D41 and number > 3:
        return str(value) if number == 4 else string_at(view, value, Phase.ENTRY, 80)
    if option in (53, 52) and number == 3:
        return name_set("prctl_spec_flags").of_flags(value) if option == 53 else hexed(value)
    return hexed(value) if option != 22 or number == 3 else None


ARCH_GETS, ARCH_GET_CPUID, ARCH_SET_CPUID = (0x1003, 0x1004), 0x1011, 0x1012


@makes("archprctl")
def _arch_prctl(place: Place) -> Shown:
    """A segment base, or where it is written to."""
    code_at = place.position()

    def shown(view: View, value: int) -> str | None:
        code = view.args[code_at]
        if code == ARCH_GET_CPUID:
            return None
        if code not in ARCH_GETS:
            return integer(view, value) if code == ARCH_SET_CPUID else hexed(value)
        number = view.number(value, 8, Phase.EXIT)
        return pointer(value) if number is None else f"[{hexed(number)}]"

    return shown


@shows("membarriercpu")
def _membarrier_cpu(view: View, value: int) -> str | None:
    return integer(view, value) if view.args[1] & LOW else None


PTRACE_TRACEME = 0
PTRACE_WITHOUT = (PTRACE_TRACEME, 8, 16, 0x4207)
"""TRACEME, KILL, ATTACH and INTERRUPT take no address and no data."""


@shows("ptracepid")
def _ptrace_pid(view: View, value: int) -> str | None:
    return integer(view, value) if view.args[0] & LOW != PTRACE_TRACEME else None


@makes("ptraceaddr", "ptracedata")
def _ptrace_argument(place: Place) -> Shown:
    def shown(view: View, value: int) -> str | None:
        return pointer(value) if view.args[0] & LOW not in PTRACE_WITHOUT else None

    return shown


SYSLOG_READS = (2, 3, 4)
SYSLOG_LEVEL = 8


@shows("syslogtype")
def _log_action(view: View, value: int) -> str:
    number = signed(value, 32)
    return f"{number} /* {name_set('syslog').by_value.get(number, 'SYSLOG_ACTION_???')} */"


@shows("syslogbuf")
def _log_buffer(view: View, value: int) -> str | None:
    action = signed(view.args[0], 32)
    if action in SYSLOG_READS:
        return buffer_at(view, value, view.result or 0, Phase.EXIT)
    known = action in name_set("syslog").by_value
    return None if known and action != SYSLOG_LEVEL else pointer(value)


@shows("sysloglen")
def _log_length(view: View, value: int) -> str | None:
    action = signed(view.args[0], 32)
    known = action in name_set("syslog").by_value
    return integer(view, value) if not known or action in (*SYSLOG_READS, SYSLOG_LEVEL) else None


@shows("ioprio")
def _priority(view: View, value: int) -> str:
    return io_priority(value & LOW)


def io_priority(value: int) -> str:
    """Return an I/O priority: its class, and its place in it."""
    kind = name_set("ioprio_class").value(value >> 13)
    return f"IOPRIO_PRIO_VALUE({kind}, {value & 0x1FFF})"


@makes("kcmpidx")
def _compared(place: Place) -> Shown:
    """What kcmp compares: descriptors, or nothing that matters."""

    def shown(view: View, value: int) -> str | None:
        kind = view.args[2] & LOW
        if kind == 0:
            return integer(view, value)
        return hexed(value) if kind > 7 else (pointer(value) if kind == 7 else None)

    return shown


@makes("seccompflags")
def _seccomp_flags(place: Place) -> Shown:
    """The flags of SECCOMP_SET_MODE_FILTER; other operations take none."""

    def shown(view: View, value: int) -> str:
        filters = view.args[0] & LOW == 1
        return name_set("seccomp_filter").of_flags(value & LOW) if filters else hexed(value & LOW)

    return shown


@makes("seccomparg")
def _seccomp_argument(place: Place) -> Shown:
    """A filter: how many instructions it has, and where."""

    def shown(view: View, address: int) -> str:
        word = view.abi.word
        data = view.read(address, 2 * word, Phase.ENTRY) if view.args[0] & LOW == 1 else None
        if data is None:
            return pointer(address)
        filters = pointer(int.from_bytes(data[word:], "little"))
        return f"{{len={int.from_bytes(data[:2], 'little')}, filter={filters}}}"

    return shown


USER_DESC_BITS = (
    ("seg_32bit", 0, 1),
    ("contents", 1, 3),
    ("read_exec_only", 3, 1),
    ("limit_in_pages", 4, 1),
    ("seg_not_present", 5, 1),
    ("useable", 6, 1),
)


@decodes("user_desc")
def _segment(view: View, data: bytes) -> str:
    found = values(view, "user_desc", data)
    parts = [f"entry_number={signed(found['entry_number'], 32)}"]
    parts += [f"{name}={found[name]:#010x}" for name in ("base_addr", "limit")]
    parts += [f"{name}={found['bits'] >> at & mask}" for name, at, mask in USER_DESC_BITS]
    return f"{{{', '.join(parts)}}}"


KEYCTL_ARGUMENTS = {
    0: ("keyserial", "uint"), 1: ("string",), 2: ("keyserial", "bytes", "size"), 3: ("keyserial",),
    4: ("keyserial", "uid", "gid"), 5: ("keyserial", "hexint"), 6: ("keyserial", "ptr", "size"),
    7: ("keyserial",), 8: ("keyserial", "keyserial"), 9: ("keyserial", "keyserial"),
    10: ("keyserial", "string", "string", "keyserial"), 11: ("keyserial", "ptr", "size"),
    14: ("int",), 15: ("keyserial", "uint"), 21: ("keyserial",),
}  # fmt: skip
"""By the command of keyctl(2): what its arguments are."""


@makes("keyctl")
def _key_argument(place: Place) -> Shown:
    """An argument of keyctl(2), by its command; those of other commands are numbers."""
    position = int(place.kind.params[0]) - 2

    def shown(view: View, value: int) -> str | None:
        kinds = KEYCTL_ARGUMENTS.get(signed(view.args[0], 32))
        if kinds is None:
            return hexed(value)
        return _key_value(view, kinds[position], value) if position < len(kinds) else None

    return shown


def _key_value(view: View, kind: str, value: int) -> str:
    if kind == "string":
        return string_at(view, value, Phase.ENTRY, view.strings)
    if kind == "bytes":
        return buffer_at(view, value, view.args[3], Phase.ENTRY)
    return MAKERS[kind](Place(None, Kind(kind), view.abi))(view, value) or ""
