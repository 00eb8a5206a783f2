"""Arguments and results of a call in words, as sentences have them.

The rule: a function takes the call and returns what is certain about it, or an empty text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from scopetrace.explain.phrases import (
    STANDARD,
    address_at,
    descriptor,
    joined,
    phrase,
    seconds,
    size,
    span,
)
from scopetrace.explain.subject import QUOTED, Subject, names_in
from scopetrace.explain.texts import names
from scopetrace.model.counts import number_of
from scopetrace.model.names import signal_name
from scopetrace.model.shown import escape, shell_line
from scopetrace.syscalls import quote
from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.descriptors import AT_FDCWD, signed
from scopetrace.syscalls.render import spell

ACCESS = ("for reading", "for writing", "for reading and writing", "")
O_ACCMODE, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_PATH = 3, 0o100, 0o200, 0o1000, 0o2000, 0o10000000
NO_PATH = ("", '""', "NULL")
"""Paths in place of which the descriptor is meant: AT_EMPTY_PATH, utimensat(2)."""
PRINTABLE = re.compile(r'"(?:[^"\\]|\\[nrt"\\])*"(?:\.\.\.)?')
"""Text, as strace quotes it, without other bytes."""
PROTECTION = {1: "read", 2: "written", 4: "executed"}
STATUS_FLAGS = {0o2000: "O_APPEND", 0o4000: "O_NONBLOCK", 0o40000: "O_DIRECT", 0o20000: "O_ASYNC"}
ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"v": b"\v", b"f": b"\f"}
MOST_COMMAND = 200
"""Characters of a command line."""
POLLED = re.compile(r"\{fd=(\d+)(?:<[^<>]*>)?, events=([A-Z|]+)")
POLL_WORDS = {"read": {"POLLIN", "POLLRDNORM", "POLLPRI"}, "written": {"POLLOUT", "POLLWRNORM"}}
MOST_POLLED = 3
"""Of so many descriptors each is named."""
FILE_TYPES = {
    "S_IFREG": "a regular file", "S_IFDIR": "a folder", "S_IFLNK": "a symbolic link",
    "S_IFCHR": "a character device", "S_IFBLK": "a block device", "S_IFIFO": "a pipe",
    "S_IFSOCK": "a socket",
}  # fmt: skip
ACCESSES = {4: "read", 2: "written", 1: "executed"}
SOCKETS = {
    (1, 1): "a socket to a process of this machine (a stream)",
    (1, 2): "a socket to processes of this machine (for messages)",
    (2, 1): "a TCP socket (IPv4)", (10, 1): "a TCP socket (IPv6)",
    (2, 2): "a UDP socket (IPv4)", (10, 2): "a UDP socket (IPv6)",
    (16, 3): "a socket to the kernel (netlink)", (16, 2): "a socket to the kernel (netlink)",
}  # fmt: skip
"""By family and type."""


# -- results ---------------------------------------------------------------------------------------


def _result(call: Subject) -> str:
    found = call.result
    if found is None:
        return "?"
    kind = call.row.result.name if call.row else "int"
    if kind in ("ptr", "segment"):
        return f"{found & 0xFFFFFFFFFFFFFFFF:#x}"
    if kind == "octal":
        return f"0{found:03o}"
    if kind == "size" and call.name not in ("sched_getaffinity", "lseek"):
        return size(found)
    return str(found)


def _asked(call: Subject) -> int | None:
    """Return how many bytes were asked for; None: that is not one argument."""
    found = call.first("size")
    return call.value(found) if found else None


def _transferred(before: str) -> Callable[[Subject], str]:
    """Return what says how many bytes were transferred, or, after `before`, were to be."""

    def found(call: Subject) -> str:
        if call.succeeded and call.result is not None:
            return size(call.result)
        asked = _asked(call)
        return "bytes" if asked is None else f"{before}{size(asked)}"

    return found


def _partly(call: Subject) -> str:
    asked = _asked(call)
    if asked is None or call.result is None or not 0 <= call.result < asked:
        return ""
    return f"{size(asked)} were given, so the rest is still to be written"


def _content(call: Subject) -> str:
    """Return what was carried, if it is text."""
    argument = call.first("bytes", "iovec", "msghdr", "string", "outpath")
    found = QUOTED.search(call.texts.get(argument, "")) if argument else None
    text = found.group() if found else ""
    return text if len(text) > 2 and PRINTABLE.fullmatch(text) else ""


def _position(call: Subject) -> str:
    if call.name == "_llseek":
        return call.texts.get("result", "").strip("[]")
    return "" if call.result is None else str(call.result)


# -- files -----------------------------------------------------------------------------------------


def _path(call: Subject) -> str:
    """Return the file that a call is about: by its path, or by a descriptor."""
    argument = call.first("path")
    found = call.path(argument) if argument else ""
    text = call.texts.get(argument, "")
    if found or text not in NO_PATH:  # an address from which no text could be copied
        return found or text
    base = call.first("dirfd", "fd")
    is_nothing = call.error == "ENOENT" and base and signed(call.value(base) or 0) == AT_FDCWD
    return phrase(call, base) if base and not is_nothing else text


def _open_flags(call: Subject) -> int:
    if call.name == "creat":
        return O_CREAT | O_TRUNC
    how = call.first("open_how")
    if how:
        return call.view.number(call.value(how) or 0, 8, Phase.ENTRY) or 0
    argument = call.first("openflags")
    return call.value(argument) or 0 if argument else 0


def _new_length(call: Subject) -> str:
    return str(quote.signed(call.value("length") or 0, 64))


def _access(call: Subject) -> str:
    flags = _open_flags(call)
    return "" if flags & O_PATH else ACCESS[flags & O_ACCMODE]


def _made(call: Subject) -> str:
    """Return what became of the file by being opened."""
    flags = _open_flags(call)
    parts = []
    if flags & O_CREAT:
        parts.append(_created(flags, False if flags & O_EXCL else call.call.was_there))
    elif flags & O_TRUNC:
        parts.append("it was emptied")
    if flags & O_APPEND:
        parts.append("each write goes to its end")
    return "; ".join(parts)


def _created(flags: int, was_there: bool | None) -> str:
    """Return what O_CREAT did; None: it is not known whether the file was there."""
    if was_there is None:
        emptied = ", and emptied if it was" if flags & O_TRUNC else ""
        return f"it was created if it was not there{emptied}"
    if was_there:
        return f"it was there already{', and was emptied' if flags & O_TRUNC else ''}"
    return "it was not there, and was created"


def _described(call: Subject) -> str:
    text = call.texts.get(call.first("stat", "stat64", "oldstat", "statx"), "")
    kind = next((words for name, words in FILE_TYPES.items() if name in text), "")
    found = re.search(r"st[x_]*_size=(\d+)", text)
    if not kind:
        return "it is there"
    if found is None or "S_IFREG" not in text:
        return f"it is {kind}"
    return (
        f"it is {kind} of {size(int(found.group(1)))}" if found.group(1) != "0" else "it is empty"
    )


def _allowed(call: Subject) -> str:
    mode = call.number(call.first("flags"))
    words = [text for bit, text in ACCESSES.items() if mode & bit]
    return f"may be {' and '.join(words)}" if words else "exists"


def _entries(call: Subject) -> str:
    found = re.search(r"/\* (\d+\+?) entr", call.texts.get("dirp", ""))
    if found is None:
        return _result(call)
    count = found.group(1)
    return f"more than {count[:-1]} names" if count[-1] == "+" else number_of(int(count), "name")


def _from_end(call: Subject) -> str:
    """Return the position in a file that an offset from its end means."""
    name = "offset" if call.kind("offset") else "offset_high"
    offset = int(call.texts.get(name, "0"))
    if not offset:
        return "its end"
    return f"{size(abs(offset))} {'behind' if offset > 0 else 'before'} its end"


def _old_path(call: Subject) -> str:
    return phrase(call, "oldpath")


def _new_path(call: Subject) -> str:
    return phrase(call, "newpath") or phrase(call, "linkpath")


def _target(call: Subject) -> str:
    return call.texts.get("target", "").strip('"') or phrase(call, "path")


# -- descriptors -----------------------------------------------------------------------------------


def _cloexec(call: Subject) -> str:
    return "" if call.result is None else "yes" if call.result & 1 else "no"


def _answer(call: Subject) -> str:
    return str(call.result) if call.result else ""


def _new_name(call: Subject) -> str:
    fd = call.number("newfd")
    return STANDARD[fd] if 0 <= fd < len(STANDARD) else f"descriptor {fd}"


def _status(call: Subject) -> str:
    """Return how a file was opened, from what F_GETFL returned."""
    flags = call.result or 0
    more = [name for bit, name in STATUS_FLAGS.items() if flags & bit]
    return ", ".join([ACCESS[flags & O_ACCMODE] or "for nothing", *more])


def _pair(argument: str, place: int) -> Callable[[Subject], str]:
    def end(call: Subject) -> str:
        found = re.findall(r"(-?\d+)(?:<[^<>]*>)?", call.texts.get(argument, ""))
        return found[place] if len(found) > place else "?"

    return end


def _sockets(call: Subject) -> str:
    return f"{_pair('sv', 0)(call)} and {_pair('sv', 1)(call)}"


def _plain(call: Subject) -> str:
    return f"descriptor {call.number('sockfd')}"


def _socket_kind(call: Subject) -> str:
    known = SOCKETS.get((call.number("domain"), call.number("type") & 0xF))
    return known or f"a socket ({call.texts.get('domain', '?')}, {call.texts.get('type', '?')})"


def _peer(phase: Phase) -> Callable[[Subject], str]:
    return lambda call: address_at(call, call.value("addr") or 0, phase)


# -- processes and signals -------------------------------------------------------------------------


def _command(call: Subject) -> str:
    text = spell(call.call, strings=MOST_COMMAND).arguments.get("argv", "")
    found = shell_line([*map(_unquoted, QUOTED.findall(text))])
    return escape(found if len(found) <= MOST_COMMAND else f"{found[:MOST_COMMAND]}…")


def _unquoted(text: str) -> str:
    """Return what strace's form of a string means."""
    body = text[1 : text.rindex('"')].encode("latin-1", "replace")
    data = re.sub(rb"\\([0-7]{1,3}|.)", _unescaped, body)
    return data.decode(errors="surrogateescape")


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found.group(1)
    return bytes([int(code, 8) & 0xFF]) if code.isdigit() else ESCAPES.get(code, code)


def _child(call: Subject) -> str:
    pid = call.number("pid")
    if pid < -1:
        return f"a child of process group {-pid}"
    return f"process {pid}" if pid > 0 else "a child" if pid else "a child of its process group"


def _ended(call: Subject) -> str:
    status = call.view.number(call.value("wstatus") or 0, 4, Phase.EXIT)
    pid = f"process {call.result}"
    if status is None:
        return f"{pid} has ended"
    if os.WIFSTOPPED(status):
        return f"{pid} was stopped by {signal_name(os.WSTOPSIG(status))}"
    if os.WIFSIGNALED(status):
        return f"{pid} was ended by {signal_name(os.WTERMSIG(status))}"
    if os.WIFEXITED(status):
        return f"{pid} ended with status {os.WEXITSTATUS(status)}"
    return f"{pid} went on"


def _receiver(call: Subject) -> str:
    if call.name in ("tkill", "tgkill"):
        return f"thread {call.number('tid')}"
    pid = call.number("pid")
    if pid < -1:
        return f"process group {-pid}"
    return {-1: "all processes", 0: "its process group"}.get(pid, f"process {pid}")


def _own(call: Subject) -> str:
    pid = call.number("pid")
    return f"process {pid}" if pid else "this process"


def _signals(call: Subject) -> str:
    text = call.texts.get("set", "")
    found = joined([f"SIG{name}" for name in text.strip("~[]").split()])
    if text.startswith("~"):
        return f"all but {found}" if found else "all"
    return found or "none"


def _disposition(call: Subject) -> str:
    text = call.texts.get("oldact", "")
    if "SIG_DFL" in text:
        return "what it does by default"
    if "SIG_IGN" in text:
        return "it is ignored"
    return "a function of the program runs" if "sa_handler" in text else ""


def _limits(call: Subject, argument: str) -> str:
    """Return the limits of prlimit64(2), or of setrlimit(2) and getrlimit(2)."""
    text = call.texts.get(argument) or call.texts.get("rlim", "")
    found = re.search(r"rlim_cur=([^,}]+), rlim_max=([^,}]+)", text)
    if found is None:
        return text
    now, most = map(_limit_of, found.groups())
    return f"{now}, which may be raised to {most}" if now != most else now


def _limit_of(text: str) -> str:
    if "INFINITY" in text:
        return "no limit"
    number, _, unit = text.partition("*")
    return size(int(number) * int(unit)) if unit.isdigit() and number.isdigit() else text


# -- waiting ---------------------------------------------------------------------------------------


def _count(call: Subject) -> str:
    count = call.number("nfds")
    return number_of(count, "descriptor")


def _polled(call: Subject) -> str:
    """Return what poll(2) waits for: of a few descriptors for what of each."""
    found = POLLED.findall(call.texts.get("fds", ""))
    if not 0 < len(found) == call.number("nfds") <= MOST_POLLED:
        return f"one of {_count(call)} can be read or written"
    return joined(
        [f"{descriptor(call, int(fd))} {_for_what(events)}" for fd, events in found], "or"
    )


def _for_what(events: str) -> str:
    words = [word for word, wanted in POLL_WORDS.items() if wanted & {*events.split("|")}]
    return f"can be {' or '.join(words)}" if words else "is closed by the other side"


def _limit(call: Subject) -> str:
    if call.kind("timeout") is None:
        text = call.texts.get("tmo_p", "NULL")
        return "" if text == "NULL" else f"at most {span(text.partition('}')[0])}"
    if call.kind("timeout") != call.kind("nfds") and call.texts["timeout"].lstrip("-").isdigit():
        limit = call.number("timeout")
        return "" if limit < 0 else f"at most {seconds(limit / 1000)}" if limit else "at once"
    return ""


def _ready(call: Subject) -> str:
    if not call.result:
        return "not yet" if _limit(call) == "at once" else "none within that time"
    if call.kind("fds") is not None and call.number("nfds") == 1:
        return "it can"
    return "1 is ready" if call.result == 1 else f"{call.result} are ready"


def _events(call: Subject) -> str:
    found = re.search(r"events=([A-Z_|]+)", call.texts.get("event", ""))
    return found.group(1) if found else ""


def _woken(call: Subject) -> str:
    if not call.result:
        return "no thread, as none was sleeping,"
    return number_of(call.result, "thread")


def _awaited(call: Subject) -> str:
    least = call.number("min_complete")
    return number_of(least, "result") if least else ""


def _recipient(call: Subject) -> str:
    """Return to whom a file is given: the user, the group or both, as far as they change."""
    found = [phrase(call, name) for name in ("owner", "group") if call.texts[name] != "-1"]
    return " and ".join(found) or "the user and the group that have it"


def _until(call: Subject) -> str:
    text = call.texts.get("t") or ""
    absolute = (call.value("flags") or 0) & 1
    return "until a point in time" if absolute else f"for {span(text)}"


# -- memory ----------------------------------------------------------------------------------------


def _protection(call: Subject) -> str:
    if call.kind("prot") is None:
        return ""
    prot = call.number("prot")
    words = [text for bit, text in PROTECTION.items() if prot & bit]
    return f"may be {joined(words)}" if words else "may not be touched"


def _grown(call: Subject) -> str:
    same = call.result is not None and call.result & (1 << 64) - 1 == call.value("addr")
    return "" if same else "the kernel refused, and the heap stays as it was"


COMPUTED: dict[str, Callable[[Subject], str]] = {
    "access": _access,
    "allowed": _allowed,
    "answer": _answer,
    "child": _child,
    "cloexec": _cloexec,
    "command": _command,
    "content": _content,
    "described": _described,
    "disposition": _disposition,
    "egid_number": lambda call: call.texts.get("egid", ""),
    "ended": _ended,
    "entries": _entries,
    "euid_number": lambda call: call.texts.get("euid", ""),
    "events": _events,
    "fd": lambda call: phrase(call, "fd") or phrase(call, "sockfd"),
    "from_end": _from_end,
    "got": _transferred("up to "),
    "grown": _grown,
    "length": lambda call: phrase(call, "length") or "a piece",
    "limit": _limit,
    "made": _made,
    "mapped": lambda call: phrase(call, "fd") or "a file",
    "limit_new": lambda call: _limits(call, "new_limit"),
    "limit_old": lambda call: _limits(call, "old_limit"),
    "new_path": _new_path,
    "newfd_name": _new_name,
    "nfds_count": _count,
    "offset": lambda call: phrase(call, "offset") or phrase(call, "offset_high"),
    "old_path": _old_path,
    "partly": _partly,
    "path": _path,
    "peer": _peer(Phase.EXIT),
    "pgid_number": lambda call: str(call.number("pgid")),
    "pid_own": _own,
    "polled": _polled,
    "position": _position,
    "protection": _protection,
    "put": _transferred(""),
    "read_end": _pair("pipefd", 0),
    "ready": _ready,
    "receiver": _receiver,
    "result": _result,
    "signals": _signals,
    "socket_kind": _socket_kind,
    "sockets": _sockets,
    "sockfd": lambda call: phrase(call, "sockfd") or phrase(call, "fd"),
    "sockfd_plain": _plain,
    "span": _until,
    "opened_how": _status,
    "target": _target,
    "to": _peer(Phase.ENTRY),
    "why": lambda call: call.why or "it is not there",
    "because": lambda call: call.why,
    "new_length": _new_length,
    "woken": _woken,
    "awaited": _awaited,
    "submitted": lambda call: number_of(call.number("to_submit"), "call"),
    "recipient": _recipient,
    "write_end": _pair("pipefd", 1),
}
"""Name in sentences.txt → its text."""
AS_PRINTED, MEANING = "text_", "meaning_"


def _meaning(text: str) -> str:
    """Return what the name of a flag or value means, if there is only one."""
    found = names_in(text)
    return names().get(found[0], "") if len(found) == 1 else ""


class Values(dict[str, str]):
    """The values of one call by the names that sentences have; empty if the call has none."""

    def __init__(self, call: Subject) -> None:
        super().__init__()
        self._call = call

    def __missing__(self, name: str) -> str:
        if name.startswith(AS_PRINTED):
            return self._call.texts.get(name[len(AS_PRINTED) :], "")
        if name.startswith(MEANING):
            return _meaning(self._call.texts.get(name[len(MEANING) :], ""))
        computed = COMPUTED.get(name)
        return computed(self._call) if computed else phrase(self._call, name)
