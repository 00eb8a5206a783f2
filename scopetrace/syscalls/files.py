"""What calls about files take and give: open flags, stat, statx, fcntl, times."""

from __future__ import annotations

import re

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.numbers import ALL, LOW, device, dirfd, mode_of, seconds
from scopetrace.syscalls.quote import hexed, permissions, pointer, signed
from scopetrace.syscalls.signals import signal_name
from scopetrace.syscalls.structures import at, decoder, values
from scopetrace.syscalls.text import string_at
from scopetrace.syscalls.view import Place, Shown, View, decodes, makes, shows

O_ACCMODE = 3
O_CREAT, O_TMPFILE = 0o100, 0o20200000
UTIME_NOW, UTIME_OMIT = 0x3FFFFFFF, 0x3FFFFFFE
DEVICES = (0o020000, 0o060000)
TYPE = 0o170000
_open_texts: dict[int, str] = {}


def open_flags(value: int) -> str:
    """Return the flags of open(2), the access first."""
    text = _open_texts.get(value)
    if text is None:
        access = name_set("accmode").value(value & O_ACCMODE)
        found, rest = name_set("open").parts(value & ~O_ACCMODE)
        text = "|".join([access, *found, *([hexed(rest)] if rest else [])])
        _open_texts[value] = text
    return text


@shows("openflags")
def _open_flags(view: View, value: int) -> str:
    return open_flags(value & LOW)


@shows("openbits")
def _open_bits(view: View, value: int) -> str:
    return name_set("open").of_flags(value & LOW)


def makes_a_file(flags: int) -> bool:
    """Return whether a call with these flags takes a mode."""
    return bool(flags & O_CREAT) or flags & O_TMPFILE == O_TMPFILE


@makes("openmode")
def _open_mode(place: Place) -> Shown:
    flags = place.position()

    def shown(view: View, value: int) -> str | None:
        return permissions(value & 0xFFFF) if makes_a_file(view.args[flags]) else None

    return shown


@makes("createattr")
def _create_attributes(place: Place) -> Shown:
    flags = place.position()

    def shown(view: View, address: int) -> str | None:
        made = makes_a_file(view.args[flags])
        return at(view, address, "mq_attr", Phase.ENTRY) if made else None

    return shown


@decodes("open_how")
def _open_how(view: View, data: bytes) -> str:
    how = values(view, "open_how", data)
    parts = [f"flags={open_flags(how['flags'])}"]
    if how["mode"] or makes_a_file(how["flags"]):
        parts.append(f"mode={permissions(how['mode'])}")
    parts.append(f"resolve={name_set('resolve').of_flags(how['resolve'])}")
    return f"{{{', '.join(parts)}}}"


def _stat_times(found: dict[str, int]) -> list[str]:
    parts = []
    for name in "st_atime", "st_mtime", "st_ctime":
        nanoseconds = found.get(f"{name}_nsec", 0)
        parts.append(f"{name}={found[name]}{seconds(found[name], nanoseconds)}")
        if f"{name}_nsec" in found:
            parts.append(f"{name}_nsec={nanoseconds}")
    return parts


def _stat(view: View, name: str, data: bytes) -> str:
    found = values(view, name, data)
    mode = found["st_mode"]
    size = (
        f"st_rdev={device(found['st_rdev'])}"
        if mode & TYPE in DEVICES
        else f"st_size={found['st_size']}"
    )
    if not view.verbose:
        return f"{{st_mode={mode_of(mode)}, {size}, ...}}"
    parts = [f"st_dev={device(found['st_dev'])}", f"st_ino={found['st_ino']}"]
    parts += [f"st_mode={mode_of(mode)}"]
    parts += [f"{name}={found[name]}" for name in ("st_nlink", "st_uid", "st_gid")]
    parts += [f"{key}={found[key]}" for key in ("st_blksize", "st_blocks") if key in found]
    return f"{{{', '.join([*parts, size, *_stat_times(found)])}}}"


@decodes("stat")
def _plain_stat(view: View, data: bytes) -> str:
    return _stat(view, "stat", data)


@decodes("stat64")
def _wide_stat(view: View, data: bytes) -> str:
    return _stat(view, "stat64", data)


@decodes("oldstat")
def _old_stat(view: View, data: bytes) -> str:
    return _stat(view, "oldstat", data)


def _statx_time(data: bytes, start: int) -> str:
    second = int.from_bytes(data[start : start + 8], "little", signed=True)
    nanoseconds = int.from_bytes(data[start + 8 : start + 12], "little")
    return f"{{tv_sec={second}, tv_nsec={nanoseconds}}}{seconds(second, nanoseconds)}"


STATX_SYNC, STATX_BTIME = 0x6000, 0x800
STATX_TIMES = (("stx_atime", 64), ("stx_btime", 80), ("stx_ctime", 96), ("stx_mtime", 112))


@decodes("statx")
def _statx(view: View, data: bytes) -> str:
    found = values(view, "statx", data)
    attributes = name_set("statxattr").of_flags
    mask = name_set("statx").of_flags(found["stx_mask"])
    mode, size = mode_of(found["stx_mode"]), found["stx_size"]
    if not view.verbose:
        head = f"{{stx_mask={mask}, stx_attributes={attributes(found['stx_attributes'])}"
        return f"{head}, stx_mode={mode}, stx_size={size}, ...}}"
    parts = [f"stx_mask={mask}", f"stx_blksize={found['stx_blksize']}"]
    parts.append(f"stx_attributes={attributes(found['stx_attributes'])}")
    parts += [f"{name}={found[name]}" for name in ("stx_nlink", "stx_uid", "stx_gid")]
    parts.append(f"stx_mode={mode}")
    parts += [f"{name}={found[name]}" for name in ("stx_ino", "stx_size", "stx_blocks")]
    parts.append(f"stx_attributes_mask={attributes(found['stx_attributes_mask'])}")
    parts += [
        f"{name}={_statx_time(data, start)}"
        for name, start in STATX_TIMES
        if name != "stx_btime" or found["stx_mask"] & STATX_BTIME
    ]
    parts += [f"{name}={found[name]}" for name in DEVICE_NUMBERS]
    parts.append(f"stx_mnt_id={hexed(found['stx_mnt_id'])}")
    if found["stx_mask"] & STATX_DIOALIGN:
        parts += [f"{name}={found[name]}" for name in DIRECT_IO]
    return f"{{{', '.join(parts)}}}"


STATX_DIOALIGN = 0x2000
DIRECT_IO = ("stx_dio_mem_align", "stx_dio_offset_align")
DEVICE_NUMBERS = ("stx_rdev_major", "stx_rdev_minor", "stx_dev_major", "stx_dev_minor")


@shows("statxflags")
def _statx_flags(view: View, value: int) -> str:
    sync = name_set("statxsync")
    number = value & LOW
    both = sync.of_flags(number & STATX_SYNC)
    head = sync.by_value.get(number & STATX_SYNC, both)
    rest = number & ~STATX_SYNC
    return f"{head}|{name_set('statxflags').of_flags(rest)}" if rest else head


def _nanoseconds(value: int) -> str | None:
    return {UTIME_NOW: "UTIME_NOW", UTIME_OMIT: "UTIME_OMIT"}.get(value)


def _time_pair(view: View, address: int, name: str, small: str) -> str:
    one = decoder(name, view.abi)
    data = view.read(address, 2 * one.size, Phase.ENTRY) if address else None
    if data is None:
        return pointer(address)
    parts = []
    for start in (0, one.size):
        found = values(view, name, data[start : start + one.size])
        second, part = found["tv_sec"], found[small]
        special = _nanoseconds(part) if small == "tv_nsec" else None
        scale, digits = (1, 9) if small == "tv_nsec" else (1000, 6)
        whole = f"{{tv_sec={second}, {small}={part}}}{seconds(second, part * scale, digits)}"
        parts.append(special or whole)
    if parts == ["UTIME_NOW", "UTIME_NOW"]:
        return "[UTIME_NOW, UTIME_NOW]"
    return f"[{', '.join(parts)}]"


@shows("timevals")
def _timevals(view: View, address: int) -> str:
    return _time_pair(view, address, "timeval", "tv_usec")


@shows("utimens")
def _utimens(view: View, address: int) -> str:
    return _time_pair(view, address, "timespec", "tv_nsec")


@shows("utimens64")
def _utimens64(view: View, address: int) -> str:
    return _time_pair(view, address, "timespec64", "tv_nsec")


F_SETFD, F_GETFL, F_SETFL, F_GETFD = 2, 3, 4, 1
DECIMAL = (0, 0x406, 8, 0x407)
"""F_DUPFD and F_DUPFD_CLOEXEC, F_SETOWN, F_SETPIPE_SZ."""
LOCKS = (5, 6, 7, 36, 37, 38, 12, 13, 14)
WIDE_LOCKS = (36, 37, 38, 12, 13, 14)
GET_LOCKS = (5, 36, 12)
NO_ARGUMENT = (1, 3, 9, 11, 0x401, 0x408, 0x40A, 0x405)
F_SETSIG, F_SETLEASE, F_NOTIFY, F_ADD_SEALS, F_SETOWN_EX, F_GETOWN_EX = (
    10, 0x400, 0x402, 0x409, 15, 16,
)  # fmt: skip
HINTS = (0x40B, 0x40C, 0x40D, 0x40E)


@makes("fcntl")
def _fcntl(place: Place) -> Shown:
    command_at = place.position()

    def shown(view: View, value: int) -> str | None:
        return _fcntl_argument(view, signed(view.args[command_at], 32), value)

    return shown


def _fcntl_argument(view: View, command: int, value: int) -> str | None:
    if command in NO_ARGUMENT:
        return None
    if command in LOCKS:
        wide = command in WIDE_LOCKS or view.abi is not Abi.I386
        phase = Phase.EXIT if command in GET_LOCKS else Phase.ENTRY
        text = at(view, value, "flock64" if wide else "flock", phase)
        return text if command in GET_LOCKS else re.sub(r", l_pid=-?\d+", "", text)
    if command in HINTS:
        phase = Phase.ENTRY if command in (0x40C, 0x40E) else Phase.EXIT
        number = view.number(value, 8, phase)
        return pointer(value) if number is None else f"[{name_set('rwhint').value(number)}]"
    return _fcntl_number(view, command, value)


def _fcntl_number(view: View, command: int, value: int) -> str:
    flags = {F_SETFD: "fdflags", F_NOTIFY: "notify", F_ADD_SEALS: "seal"}
    if command in flags:
        return name_set(flags[command]).of_flags(value & LOW)
    if command == F_SETFL:
        return open_flags(value & LOW)
    if command == F_SETLEASE:
        return name_set("lease").value(value & LOW)
    if command in (F_SETOWN_EX, F_GETOWN_EX):
        phase = Phase.ENTRY if command == F_SETOWN_EX else Phase.EXIT
        return at(view, value, "f_owner_ex", phase)
    if command == F_SETSIG:
        return signal_name(value & LOW)
    if command in DECIMAL:
        return str(signed(value, 32))
    return hexed(value & ALL)


@decodes("file_handle")
def _file_handle(view: View, data: bytes) -> str:
    found = values(view, "file_handle", data)
    if view.failed:
        return f"{{handle_bytes={found['handle_bytes']}}}"
    return f"{{handle_bytes={found['handle_bytes']}, handle_type={found['handle_type']}}}"


MS_MAGIC, MS_MAGIC_MASK = 0xC0ED0000, 0xFFFF0000


@shows("mountflags")
def _mount_flags(view: View, value: int) -> str:
    names = name_set("mount")
    if value & MS_MAGIC_MASK == MS_MAGIC:
        rest = value & ~MS_MAGIC_MASK
        return f"MS_MGC_VAL|{names.of_flags(rest)}" if rest else "MS_MGC_VAL"
    return names.of_flags(value)


PRIORITY = 0x7FFF


@shows("swapflags")
def _swap_flags(view: View, value: int) -> str:
    priority, flags = value & PRIORITY, value & LOW & ~PRIORITY
    if not flags:
        return str(priority)
    names = name_set("swapon").of_flags(flags)
    return f"{names}|{priority}" if priority or flags & 0x8000 else names


@shows("quotacmd")
def _quota_command(view: View, value: int) -> str:
    command = name_set("quota_cmd").value((value & LOW) >> 8)
    return f"QCMD({command}, {name_set('quota_type').value(value & 0xFF)})"


@shows("memfdflags")
def _memfd_flags(view: View, value: int) -> str:
    found, rest = name_set("memfd").parts(value & LOW & ~(63 << 26))
    huge = (value & LOW) >> 26
    found += [hexed(rest)] if rest else []
    return "|".join([*found, *([f"{huge}<<MFD_HUGE_SHIFT"] if huge else [])]) or "0"


@shows("fanotifyinit")
def _fanotify_init(view: View, value: int) -> str:
    kind, flags = name_set("fanotify_class").value(value & 0xC), value & LOW & ~0xC
    return f"{kind}|{name_set('fanotify_init').of_flags(flags)}" if flags else kind


@shows("fanfd")
def _fanotify_folder(view: View, value: int) -> str:
    return "FAN_NOFD" if signed(value, 32) == -1 else dirfd(view, value)


@makes("rebootarg")
def _reboot_argument(place: Place) -> Shown:
    """The text of LINUX_REBOOT_CMD_RESTART2; other commands have none."""

    def shown(view: View, address: int) -> str | None:
        if view.args[2] & LOW != RESTART2:
            return None
        return string_at(view, address, Phase.ENTRY, view.strings)

    return shown


RESTART2 = 0xA1B2C3D4


@shows("fsconfigkey")
def _configuration_key(view: View, address: int) -> str:
    return string_at(view, address, Phase.ENTRY, view.strings)


FSCONFIG_STRINGS = (1, 3, 4)


@shows("fsconfigvalue")
def _configuration_value(view: View, address: int) -> str:
    if view.args[1] & LOW in FSCONFIG_STRINGS:
        return string_at(view, address, Phase.ENTRY, view.strings)
    return pointer(address)
