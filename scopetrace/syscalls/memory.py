"""Memory: mappings, NUMA nodes, shared memory and the other System V IPC."""

from __future__ import annotations

from collections.abc import Sequence
from errno import errorcode

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.multiplexed import IPC
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import hexed, permissions, pointer, signed
from scopetrace.syscalls.structures import at, decoder, values
from scopetrace.syscalls.view import Place, Shown, View, makes, shows

LOW = 0xFFFFFFFF
MAP_TYPE, MAP_HUGETLB, HUGE_SHIFT, HUGE_MASK = 0xF, 0x40000, 26, 0x3F
MREMAP_FIXED, MREMAP_DONTUNMAP = 2, 4
_texts: dict[int, str] = {}


def map_flags(value: int) -> str:
    """Return the flags of mmap(2), the type first."""
    text = _texts.get(value)
    if text is None:
        kind = name_set("maptype").value(value & MAP_TYPE)
        huge = value >> HUGE_SHIFT & HUGE_MASK
        rest = value & LOW & ~MAP_TYPE
        rest &= ~(HUGE_MASK << HUGE_SHIFT)
        names, left = name_set("map").parts(rest)
        parts = [kind, *names, *([hexed(left)] if left else [])]
        if huge:
            parts.append(f"{huge}<<MAP_HUGE_SHIFT")
        text = _texts[value] = "|".join(parts)
    return text


@shows("mapflags")
def _map_flags(view: View, value: int) -> str:
    return map_flags(value & LOW)


@makes("newaddress")
def _new_address(place: Place) -> Shown:
    flags_at = place.position()

    def shown(view: View, value: int) -> str | None:
        wanted = view.args[flags_at] & (MREMAP_FIXED | MREMAP_DONTUNMAP)
        return pointer(value) if wanted else None

    return shown


@makes("old_mmap")
def _old_mmap(place: Place) -> Shown:
    """The arguments of i386's mmap, which stand in memory."""

    def shown(view: View, address: int) -> str:
        data = view.read(address, 24, Phase.ENTRY)
        if data is None:
            return pointer(address)
        found = values(view, "old_mmap", data)
        parts = [pointer(found["addr"]), str(found["length"])]
        parts += [name_set("prot").of_flags(found["prot"]), map_flags(found["flags"])]
        return ", ".join([*parts, str(found["fd"]), hexed(found["offset"])])

    return shown


@makes("mincore")
def _residency(place: Place) -> Shown:
    """One byte for each page."""
    length_at = place.position()

    def shown(view: View, address: int) -> str:
        pages = -(-view.args[length_at] // 4096)
        data = view.read(address, pages, Phase.EXIT) if pages else None
        if data is None:
            return pointer(address)
        shown_bytes = data if view.verbose else data[: view.strings]
        dots = ", ..." if len(shown_bytes) < len(data) else ""
        return f"[{', '.join(str(byte & 1) for byte in shown_bytes)}{dots}]"

    return shown


@shows("mpolmode")
def _policy_mode(view: View, value: int) -> str:
    number = value & LOW
    names, rest = name_set("mpolmode").parts(number)
    kind = name_set("mpol").by_value.get(rest)
    if kind or not names:
        return "|".join([kind or name_set("mpol").value(rest), *names])
    return "|".join([*names, hexed(rest)])


@makes("nodemask")
def _nodes(place: Place) -> Shown:
    bits_at, phase = place.position(), place.phase

    def shown(view: View, address: int) -> str:
        bits = view.args[bits_at]
        word = view.abi.word
        size = -(-bits // (8 * word)) * word
        if not address or (phase is Phase.EXIT and view.failed):
            return pointer(address)
        if not size:
            return "[]"
        data = view.read(address, size, phase)
        return pointer(address) if data is None else _words(data, word)

    return shown


def _words(data: bytes, word: int) -> str:
    parts = (int.from_bytes(data[at : at + word], "little") for at in range(0, len(data), word))
    return f"[{', '.join(f'{part:#0{2 + 2 * word}x}' for part in parts)}]"


@makes("pagestatus")
def _page_status(place: Place) -> Shown:
    def shown(view: View, value: int) -> str:
        number = signed(value, 32)
        return f"-{errorcode[-number]}" if -number in errorcode else str(number)

    return shown


@shows("mpol")
def _policy_kind(view: View, value: int) -> str:
    return name_set("mpol").value(value & LOW)


KEXEC_ARCH = 0xFFFF0000


@shows("kexecflags")
def _kexec_flags(view: View, value: int) -> str:
    arch = name_set("kexec_arch").value(value & KEXEC_ARCH)
    rest = value & ~KEXEC_ARCH
    return f"{arch}|{name_set('kexec').of_flags(rest)}" if rest else arch


IPC_64 = 0x100


@makes("ipccmd")
def _ipc_command(place: Place) -> Shown:
    names = name_set(place.kind.params[0])

    def shown(view: View, value: int) -> str:
        number = value & LOW
        wide = number & IPC_64
        name = names.value(number & ~IPC_64)
        return f"IPC_64|{name}" if wide else name

    return shown


IPC_SET, IPC_INFO = 1, 3
IPC_BY_COMMAND = frozenset((IPC_SET, 2, 11, 13, 15, 18, 20))
"""IPC_SET, IPC_STAT and its like."""
IPC_FIELDS = {
    "shmid": "shm_segsz shm_cpid shm_lpid shm_nattch shm_atime shm_dtime shm_ctime",
    "msqid": "msg_stime msg_rtime msg_ctime msg_qnum msg_qbytes msg_lspid msg_lrpid",
    "semid": "sem_otime sem_ctime sem_nsems",
}
"""Kind → the fields behind its permissions, in the order of printing."""
IPC_SETTABLE = ("msg_qbytes",)


@makes("shmid", "msqid", "semid")
def _ipc_structure(place: Place) -> Shown:
    """What shmctl, msgctl and semctl set or ask for; of ipc(2) it stands where a word points to."""
    kind, command_at = place.kind.name, place.position()

    def shown(view: View, value: int) -> str:
        command = view.args[command_at] & LOW
        if view.abi is Abi.I386 and not command & IPC_64:
            return pointer(value)  # to a structure of before Linux 2.4
        command &= ~IPC_64
        if kind == "semid" and view.call.number == IPC and view.abi is Abi.I386:
            passed = view.number(value, 4, Phase.ENTRY)
            if passed is None:
                return pointer(value)
            return _ipc_text(view, kind, command, passed) or f"[{passed:#x}]"
        return _ipc_text(view, kind, command, value) or pointer(value)

    return shown


def _ipc_text(view: View, kind: str, command: int, address: int) -> str:
    """Return the structure at an address; empty: the command has none, or it was not copied."""
    if (kind, command) == ("shmid", IPC_INFO):
        return "" if view.failed else at(view, address, "shminfo", Phase.EXIT)
    if command not in IPC_BY_COMMAND:
        return ""
    sets = command == IPC_SET
    one = decoder(f"{kind}_ds", view.abi)
    data = view.read(address, one.size, Phase.ENTRY if sets else Phase.EXIT)
    if data is None:
        return ""
    perm, found = values(view, "ipc_perm", data), values(view, f"{kind}_ds", data)
    owner = f"uid={perm['uid']}, gid={perm['gid']}, mode={permissions(perm['mode'])}"
    rest = "" if sets else f", key={perm['key']}, cuid={perm['cuid']}, cgid={perm['cgid']}"
    names = IPC_SETTABLE if sets else IPC_FIELDS[kind].split()
    fields = "".join(f", {name}={found[name]}" for name in names if name in found)
    return f"{{{IPC_FIELDS[kind][:3]}_perm={{{owner}{rest}}}{fields}}}"


MAP_KINDS = (1, 2, 3)
"""MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE."""
MAP_FIXED = 0x10
PAGE = 4096


def wrong_mapping(name: str, args: Sequence[int]) -> str:
    """Return what is wrong with the arguments of an mmap or mmap2; empty: nothing that shows."""
    if not args[1]:
        return "the length is zero"
    if args[3] & MAP_TYPE not in MAP_KINDS:
        return "the mapping is neither MAP_SHARED nor MAP_PRIVATE"
    if args[3] & MAP_FIXED and args[0] % PAGE:
        return f"the address is no multiple of {PAGE}"
    if name == "mmap" and args[5] % PAGE:
        return f"the offset is no multiple of {PAGE}"
    return ""
