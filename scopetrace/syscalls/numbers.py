"""Numbers, names of flags and of values."""

from __future__ import annotations

import time
from collections.abc import Callable

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.names import name_set
from scopetrace.syscalls.quote import hexed, name_in_brackets, octal, permissions, pointer, signed
from scopetrace.syscalls.view import Place, Shown, View, makes, shows

AT_FDCWD = -100
LOW = 0xFFFFFFFF
ALL = 0xFFFFFFFFFFFFFFFF
SIGN = 0x80000000
PERMISSIONS = 0o777


def bits(abi: Abi) -> int:
    """Return how wide a long is in a register."""
    return 32 if abi is Abi.I386 else 64


@shows("int", "i32", "pid", "i16", "i8", "ipccall")
def integer(view: View, value: int) -> str:
    """Show an int."""
    return str(signed(value, 32))


@shows("uint", "u32", "u16", "u8")
def _unsigned(view: View, value: int) -> str:
    return str(value & LOW)


@shows("i64")
def _signed_long(view: View, value: int) -> str:
    return str(signed(value, 64))


@shows("u64", "kulong", "size", "ulong")
def _unsigned_long(view: View, value: int) -> str:
    return str(value & ALL)


@makes("long", "klong", "time", "offset", "clock")
def _long(place: Place) -> Shown:
    width = bits(place.abi)
    return lambda view, value: str(signed(value, width))


@shows("ptr")
def address(view: View, value: int) -> str:
    """Show an address."""
    return pointer(value)


@shows("hex", "hexlong", "hex64", "ipcthird", "ipcptr", "ipcfifth")
def _hex(view: View, value: int) -> str:
    return hexed(value)


@shows("hexint", "hex32")
def _hex_int(view: View, value: int) -> str:
    return hexed(value & LOW)


@shows("octal")
def _octal(view: View, value: int) -> str:
    return permissions(value & 0xFFFF)


@shows("fd")
def fd(view: View, value: int) -> str:
    """Show a descriptor, and what it is if that is known."""
    number = signed(value, 32)
    if view.fd_names and number in view.fd_names:
        return f"{number}<{name_in_brackets(view.fd_names[number])}>"
    return str(number)


@shows("dirfd")
def dirfd(view: View, value: int) -> str:
    """Show the descriptor of a folder."""
    if signed(value, 32) == AT_FDCWD:
        return fd(view, value).replace("-100", "AT_FDCWD")
    return fd(view, value)


@shows("uid", "gid")
def _id(view: View, value: int) -> str:
    return "-1" if value & LOW == LOW else str(value & LOW)


@shows("uid16", "gid16")
def _short_id(view: View, value: int) -> str:
    return "-1" if value & 0xFFFF == 0xFFFF else str(value & 0xFFFF)


@makes("enum")
def _enum(place: Place) -> Shown:
    """A value with a name."""
    names = name_set(place.kind.params[0])

    def shown(view: View, value: int) -> str:
        negative = names.by_value.get(signed(value, 32)) if value & SIGN else None
        return negative or names.value(value & LOW)

    return shown


@makes("flags")
def _flags(place: Place) -> Shown:
    """Flags; those of a field are as wide as it is, those of an argument 32 bits or a long."""
    names, texts = name_set(place.kind.params[0]), dict[int, str]()
    mask = LOW if place.row else ALL

    def shown(view: View, value: int) -> str:
        text = texts.get(value)
        if text is None:
            text = texts[value] = names.of_flags(value & mask)
        return text

    return shown


@makes("modeflags")
def _mode_flags(place: Place) -> Shown:
    """Flags with permissions in the lowest bits: IPC_CREAT|0600."""
    names = name_set(place.kind.params[0])

    huge_at = 26 if place.kind.params[0] == "shmget" else 32

    def shown(view: View, value: int) -> str:
        found, rest = names.parts(value & LOW)
        huge, other = (rest >> huge_at, rest & ~PERMISSIONS & (1 << huge_at) - 1)
        found += [hexed(other)] if other else []
        found += [f"{huge}<<SHM_HUGE_SHIFT"] if huge else []
        return "|".join([*found, permissions(rest & PERMISSIONS)])

    return shown


@makes("decimal")
def _decimal(place: Place) -> Shown:
    """A value with a name, or in decimal."""
    names = name_set(place.kind.params[0])

    def shown(view: View, value: int) -> str:
        number = signed(value, 32)
        return names.by_value.get(number) or f"{number} /* {names.label} */"

    return shown


@shows("keyserial")
def _key_serial(view: View, value: int) -> str:
    number = signed(value, 32)
    return name_set("keyserial").by_value.get(number) or str(number)


def mode_of(value: int) -> str:
    """Return type and permissions of a file: S_IFREG|0644."""
    kind = name_set("filetype").by_value.get(value & 0o170000)
    if kind is None:
        return permissions(value)
    found, rest = name_set("modebits").parts(value & 0o7777)
    return "|".join([kind, *found, permissions(rest)])


@shows("mode")
def _mode(view: View, value: int) -> str:
    return mode_of(value & 0xFFFF)


@shows("dev")
def dev(view: View, value: int) -> str:
    """Show the number of a device in its parts."""
    return device(value)


def device(value: int) -> str:
    """Return the number of a device in its parts: makedev(0x8, 0x1)."""
    major = (value >> 8 & 0xFFF) | (value >> 32 & ~0xFFF)
    minor = (value & 0xFF) | (value >> 12 & 0xFFFFFF00)
    return f"makedev({hexed(major)}, {hexed(minor)})"


@shows("dev32")
def _short_dev(view: View, value: int) -> str:
    return dev(view, value & LOW)


@makes("nodedev")
def _node_dev(place: Place) -> Shown:
    """The device of mknod, which only devices have."""
    mode = place.position()

    def shown(view: View, value: int) -> str | None:
        is_device = view.args[mode] & 0o170000 in (0o020000, 0o060000)
        return dev(view, value & LOW) if is_device else None

    return shown


@shows("key")
def _key(view: View, value: int) -> str:
    return hexed(value & LOW) if value & LOW else "IPC_PRIVATE"


@makes("pair", "upair")
def _wide(place: Place) -> Shown:
    """A number of 64 bits in two registers."""
    is_signed = place.kind.name == "pair"

    def shown(view: View, value: int, upper: int) -> str:
        number = value | upper << 32
        return str(signed(number, 64) if is_signed else number)

    return _with_next(place, shown)


@makes("highlow")
def _high_and_low(place: Place) -> Shown:
    """A number of 64 bits in two registers, the upper half first."""
    return _with_next(place, lambda view, value, low: str(signed(value << 32 | low, 64)))


@makes("pairflags")
def _wide_flags(place: Place) -> Shown:
    """Flags of 64 bits in two registers."""
    names = name_set(place.kind.params[0])
    return _with_next(place, lambda view, value, upper: names.of_flags(value | upper << 32))


def _with_next(place: Place, shown: Callable[[View, int, int], str]) -> Shown:
    """Return the function that shows an argument together with the register after it."""
    after = place.argument + 1
    return lambda view, value: shown(view, value, view.args[after])


def seconds(value: int, nanoseconds: int = 0, digits: int = 9) -> str:
    """Return a time as the comment that strace adds: ` /* 2023-11-14T22:13:20+0000 */`."""
    if not value and not nanoseconds:
        return ""
    try:
        local = time.localtime(value)
    except (OverflowError, OSError, ValueError):
        return ""
    part = f".{f'{nanoseconds:09}'[:digits]}" if nanoseconds else ""
    return f" /* {time.strftime('%Y-%m-%dT%H:%M:%S', local)}{part}{time.strftime('%z', local)} */"


@shows("date")
def _date(view: View, value: int) -> str:
    return f"{value}{seconds(value)}"


def _limit(value: int, infinite: int, name: str) -> str:
    if value == infinite:
        return name
    if value > 1024 and value % 1024 == 0:
        return f"{value // 1024}*1024"
    return str(value)


@shows("limit64")
def _limit64(view: View, value: int) -> str:
    return _limit(value, ALL, "RLIM64_INFINITY")


@makes("limit")
def _limit_of(place: Place) -> Shown:
    infinite = LOW if place.abi is Abi.I386 else ALL
    name = "RLIM_INFINITY" if place.abi is Abi.I386 else "RLIM64_INFINITY"
    return lambda view, value: _limit(value, infinite, name)


@shows("clockid")
def _clockid(view: View, value: int) -> str:
    number = signed(value, 32)
    if number < 0 and number & CLOCK_KIND == CLOCK_OF_FD:
        return f"FD_TO_CLOCKID({~(number >> 3)})"
    return name_set("clock").value(value & LOW)


CLOCK_KIND, CLOCK_OF_FD = 7, 3


@shows("pages")
def _pages(view: View, value: int) -> str:
    return hexed(value << 12)


@shows("octalmode")
def _octal_mode(view: View, value: int) -> str:
    return octal(value)
