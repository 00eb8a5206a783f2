"""The kinds of acts: calls that together are one thing that a program did, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from scopetrace.explain.phrases import joined, size
from scopetrace.explain.sentence import sentence
from scopetrace.explain.subject import Subject
from scopetrace.explain.texts import errors
from scopetrace.explain.values import Values
from scopetrace.model.counts import number_of
from scopetrace.syscalls.call import Phase
from scopetrace.syscalls.recorded import Recorded

MOST_NAMED = 4
"""So many files are named in one act."""
MOST_CONTENT = 60
"""Characters of what a stream carried."""
READS = frozenset(("read", "readv", "pread64", "preadv", "preadv2", "recvfrom", "recvmsg", "recv"))
WRITES = frozenset(
    ("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "send", "sendfile")
)
LISTS = frozenset(("getdents", "getdents64"))
MAPS = frozenset(("mmap", "mmap2"))
CONNECT, BIND, LISTEN, CLOSE, BRK = "connect", "bind", "listen", "close", "brk"
COPIES = ("dup2", "dup3")
UNDER_WAY = "EINPROGRESS"
CHANGED_MASK = "Changed which signals are held back"
ASKED = ("Asked about ", "Asked how ", "Asked or ", "Asked w", CHANGED_MASK)
"""How the texts begin of what need not be shown twice."""
FAILED = "Could not "
"""How the sentence about a call begins that failed, if that is no answer."""
ACCEPTS = ("accept", "accept4")
USES = {
    **dict.fromkeys(READS, "read"),
    **dict.fromkeys(WRITES, "write"),
    **dict.fromkeys(LISTS, "list"),
    **dict.fromkeys(MAPS, "map"),
    **dict.fromkeys(("fsync", "fdatasync"), "sync"),
    **{name: name for name in (CONNECT, BIND, LISTEN)},
    **dict.fromkeys(ACCEPTS, "accept"),
}
"""Name of a call → how it uses a descriptor."""
OF_LIBRARY = frozenset(("set_robust_list", "rseq", "set_tid_address", "arch_prctl"))
"""Calls that mean nothing to who does not write a C library."""
WOKE_NONE = "Woke no thread"
ATTRIBUTE = " the attribute "
SEEK, NULL = "lseek", "NULL"
SHORT_NAMES = {
    **dict.fromkeys(("openat", "openat2"), "open"),
    **dict.fromkeys(("newfstatat", "fstatat64", "statx", "stat64"), "stat"),
    "fstat64": "fstat",
    "exit_group": "exit",
    "rt_sigaction": "sigaction",
    "rt_sigprocmask": "sigprocmask",
    "getdents64": "getdents",
    "pread64": "pread",
    "pwrite64": "pwrite",
}
"""Name of a call → the one that C programs use for it."""


def counted(calls: Counter[str]) -> str:
    """Return how often calls were made: `open, fstat, 2 reads, close`."""
    return ", ".join(
        name if count == 1 else f"{count} {_plural(name)}" for name, count in calls.items()
    )


def _plural(name: str) -> str:
    if name.endswith("ss"):
        return f"{name}es"
    return name if name.endswith("s") else f"{name}s"


def listed(found: Iterable[str]) -> str:
    """Return texts as `a, b and c`; of many the first ones, and how many more there are."""
    names = [*found]
    more = len(names) - MOST_NAMED
    return joined(names if more <= 1 else [*names[:MOST_NAMED], f"{more} more"])


class Act:
    """Some calls that belong together, in the order in which they were made.

    A kind says in `_note` what it keeps of each call, and in `_together` what several ones did.
    """

    def __init__(self, first: Recorded) -> None:
        self.first = first
        self.names: Counter[str] = Counter()
        self.paths: dict[str, None] = {}
        self.is_open = False
        """Whether a call may follow though others are between."""
        self.sought: dict[str, None] = {}
        """Paths that are not there, of an act that is about something else."""
        self.before: Counter[str] = Counter()
        """Calls in front of it that say nothing by themselves."""
        self._sentence = ""

    def add(self, call: Subject) -> None:
        """Take a call in."""
        self.names[SHORT_NAMES.get(call.name, call.name)] += 1
        self._sentence = sentence(call).removesuffix(".")
        self._note(call)

    def text(self) -> str:
        """Return what was done, as a sentence without its end."""
        return self._sentence if self.names.total() == 1 else self._together()

    def line(self) -> str:
        """Return the act, and in brackets its calls."""
        return f"{self.text()} [{counted(self.before + self.names)}]"

    def is_idle(self) -> bool:
        """Return whether all is as it was before, so that it need not be shown."""
        return False

    def question(self) -> str:
        """Return what need not be shown again; an empty text: it always counts."""
        text = self.text()
        return text if text.startswith(ASKED) else ""

    def _note(self, call: Subject) -> None:
        pass

    def _together(self) -> str:
        return self._sentence


class SingleAct(Act):
    """A call that belongs to no other one."""


class MissingAct(Act):
    """Files that were looked for and are not there; and where the last of them was found."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self.found = ""

    def _note(self, call: Subject) -> None:
        path = Values(call)["path"] if call.first("path") else ""
        if call.succeeded:
            self.found = self.found or path
        elif path != self.found:
            self.paths[path] = None

    def _together(self) -> str:
        if len(self.paths) == 1 and not self.found:
            return self._sentence
        folders, names = zip(*(path.rpartition("/")[::2] for path in self.paths), strict=True)
        if len({*names}) == 1:
            where = f"{number_of(len(folders), 'folder')} where it is not"
            at = f", and found it in {self.found.rpartition('/')[0] or '/'}" if self.found else ""
            listing = listed(folder or "/" for folder in folders)
            return f"Looked for {names[0]} in {where}: {listing}{at}"
        return f"Looked for {len(self.paths)} files that are not there: {listed(self.paths)}"


class LookAct(Act):
    """Questions about files that are there."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self._answer = ""
        """What was answered first."""

    def _note(self, call: Subject) -> None:
        self.paths[Values(call)["path"]] = None
        self._answer = self._answer or self._sentence

    def question(self) -> str:
        """Return what need not be shown again; if not all files are named, it counts."""
        return super().question() if len(self.paths) <= MOST_NAMED else ""

    def _together(self) -> str:
        is_of_attribute = ATTRIBUTE in self._answer
        single = len(self.paths) == 1 and not is_of_attribute
        return self._answer if single else f"Asked about {listed(self.paths)}"


class MemoryAct(Act):
    """Memory that the program got or gave back."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self._got = 0
        self._end = 0

    def _note(self, call: Subject) -> None:
        if not call.succeeded or call.result is None:
            return
        if call.name in MAPS:
            self._got += call.value("length") or 0
        if call.name == BRK:
            self._got += max(call.result - self._end, 0) if self._end else 0
            self._end = call.result

    def _together(self) -> str:
        return f"Got {size(self._got)} of memory" if self._got else "Managed its memory"


class SignalAct(Act):
    """What is to happen at signals."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self._signals: dict[str, None] = {}
        self._sets_mask = False
        self._masks: list[str] = []
        """Which signals were held back before each change, if that was asked, and at the end."""

    def is_idle(self) -> bool:
        """Return whether signals were held back for a while at most."""
        return not self._signals and self._is_as_before()

    def _note(self, call: Subject) -> None:
        if found := call.texts.get("signum"):
            self._signals[found] = None
        self._sets_mask |= call.has("SIG_SETMASK")
        if call.texts.get("set") != NULL:
            before = call.texts.get("oldset", NULL)
            after = call.texts.get("set", "") if call.has("SIG_SETMASK") else NULL
            self._masks = [*self._masks[:1], after] if self._masks else [before, after]

    def question(self) -> str:
        """Return that the mask was set, to whatever: shells and libraries do that all the time."""
        return CHANGED_MASK if self._sets_mask and not self._signals else super().question()

    def _is_as_before(self) -> bool:
        return not self._masks or (self._masks[0] == self._masks[-1] != NULL)

    def _together(self) -> str:
        if not self._signals and not self._masks:
            return "Asked which signals are held back"
        if not self._signals:
            passing = " for a while" if self._is_as_before() else ""
            return f"{CHANGED_MASK}{passing}"
        return f"Asked or set what happens when {listed(self._signals)} {self._come()}"

    def _come(self) -> str:
        return "come" if len(self._signals) > 1 else "comes"


class IdentityAct(Act):
    """Questions about who the process is."""

    def _together(self) -> str:
        return "Asked who it is and who runs it"


class HousekeepingAct(Act):
    """What the C library and languages do for themselves."""

    def is_idle(self) -> bool:
        """Return whether only the C library knows what for, or no thread was to be woken."""
        return self.names.keys() <= OF_LIBRARY or self._sentence.startswith(WOKE_NONE)

    def text(self) -> str:
        """Return the same of a single call that only the C library makes."""
        return self._together() if self.names.keys() <= OF_LIBRARY else super().text()

    def _together(self) -> str:
        return "Did housekeeping of the C library and the language"


class StandardAct(Act):
    """Questions about what the standard streams are."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self._streams: dict[str, None] = {}

    def _note(self, call: Subject) -> None:
        self._streams[Values(call)[call.first("fd", "dirfd")]] = None

    def _together(self) -> str:
        return f"Found out what it has as {listed(self._streams)}"


class StreamAct(Act):
    """Reads or writes that follow each other on a descriptor that was open before."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self._bytes = 0
        self._content = ""
        self._fd = ""

    def _note(self, call: Subject) -> None:
        values = Values(call)
        self._bytes += max(call.result or 0, 0)
        self._fd = values["fd"] or values["sockfd"]
        if len(self._content) < MOST_CONTENT:
            self._content += values["content"].removesuffix("...").strip('"')

    def _together(self) -> str:
        verb, to = ("Read", "from") if self.names.keys() & READS else ("Wrote", "to")
        content = f': "{self._content}"' if self._content else ""
        return f"{verb} {size(self._bytes)} {to} {self._fd}{content}"


class FileAct(Act):
    """What was done with one descriptor."""

    def __init__(self, first: Recorded) -> None:
        super().__init__(first)
        self.is_open = True
        self._opening = ""
        """The sentence of the call that opened it."""
        self._read = self._written = 0
        self._what = self._fd = self._content = self._made = ""
        self._failed = ""
        """The sentence of the last call that failed."""
        self._copies: list[str] = []
        """The descriptors that lead to the same file."""
        self._uses: set[str] = set()
        self._closed = self._goes_back = self._read_again = False

    def _note(self, call: Subject) -> None:
        if call.made.id == self.first.id:
            self._open(call)
        if self._sentence.startswith(FAILED):
            self._failed = self._sentence
            if call.name == CONNECT and call.error == "ENOENT":
                self.sought[Values(call)["addr"]] = None
        if not (call.succeeded or call.error == UNDER_WAY):
            return
        self._count(call)
        if call.name == CLOSE:
            self.is_open, self._closed = False, True

    def _open(self, call: Subject) -> None:
        self._opening = self._sentence
        self._fd = str(call.result)
        self._what = Values(call)["peer"] or call.fd_name(call.result or 0)
        self._made = Values(call)["made"] if call.first("path") else ""
        if call.first("path"):
            self.paths[Values(call)["path"]] = None

    def _count(self, call: Subject) -> None:
        result, use = call.result or 0, USES.get(call.name, "")
        self._uses.add(use)
        if call.name == SEEK:
            self._goes_back = result < self._read
        if use == "read":
            self._read += result
            self._read_again |= self._goes_back and result > 0
        elif use == "write":
            self._written += result
            self._content = Values(call)["content"] if self._written == result else ""
        elif use in (CONNECT, BIND):
            self._what = Values(call)["addr"]
        elif call.name in COPIES and call.made.id != self.first.id:
            self._copies.append(Values(call)["newfd_name"])
        elif call.has("SO_ERROR"):
            self._ended(call)

    def _ended(self, call: Subject) -> None:
        """Take note of how a connection ended that was begun without waiting."""
        error = call.view.number(call.value("optval") or 0, 4, Phase.EXIT)
        found = next((text for text in errors().values() if text.number == error), None)
        if found and CONNECT in self._uses:
            self._uses.discard(CONNECT)
            why = f"{found.name}. {found.means.removesuffix('.')}"
            self._failed = f"{FAILED}connect to {self._what}: {why}"

    def _together(self) -> str:
        """Return what was done with the file, and whether it stays open."""
        done = self._done(next(iter(self.paths), self._what))
        parts = [done or self._opening]
        if self._failed:
            parts.append(self._failed[0].lower() + self._failed[1:])
        if done and not self._closed:
            parts.append(f"it stays open as descriptor {self._fd}")
        return "; ".join(parts)

    def _done(self, name: str) -> str:
        if CONNECT in self._uses:
            carried = self._carried()
            return f"Talked to {name}{carried}" if carried else f"Connected to {name}"
        if self.first.name in ACCEPTS:
            return f"Accepted a connection from {name}{self._carried()}"
        if LISTEN in self._uses:
            return f"Got ready to accept connections at {name}"
        if not self.paths:
            return ""
        if "list" in self._uses:
            return f"Listed the folder {name}"
        done = self._carried_by_file(name)
        if not self._copies:
            return done
        copies = listed(self._copies)
        if done:
            return f"{done} and made {copies} lead to it"
        made = f"; {self._made}" if self._made else ""
        return f"Made {copies} lead to the file {name}{made}"

    def _carried_by_file(self, name: str) -> str:
        if {"read", "write"} <= self._uses:
            return f"Used the file {name}: {size(self._read)} read, {size(self._written)} written"
        if "write" in self._uses:
            content = f": {self._content}" if self._content else ""
            return f"Wrote {size(self._written)} to the file {name}{content}"
        if "read" in self._uses:
            again = ", as parts were read more than once" if self._read_again else ""
            return f"Read the file {name} ({size(self._read)}{again})"
        if "map" in self._uses:
            return f"Loaded the file {name} into memory"
        if "sync" in self._uses:
            return f"Waited until {name} was on the disk"
        is_idle = self._closed and not self._copies
        return f"Opened the file {name} and closed it again" if is_idle else ""

    def _carried(self) -> str:
        parts = [f"{size(self._written)} out"] if self._written else []
        parts += [f"{size(self._read)} in"] if self._read else []
        return f": {', '.join(parts)}" if parts else ""


class NoiseAct(Act):
    """What belongs to the system or the language, and not to the program itself."""

    def __init__(self, act: Act) -> None:
        super().__init__(act.first)
        self._only: Act | None = act
        self._missing: dict[str, None] = {}
        self._merge(act)

    def merge(self, act: Act) -> None:
        """Take another act in."""
        self._only = None
        self._merge(act)

    def pass_over(self, act: Act) -> None:
        """Take an act in that says nothing new."""
        self._only = None
        self.names.update(act.names)

    def is_idle(self) -> bool:
        """Return whether nothing is in it that means something outside of the C library."""
        if self.paths or self._missing:
            return False
        return self._only is None or self._only.is_idle()

    def _merge(self, act: Act) -> None:
        self.names.update(act.names)
        self._missing.update(act.sought)
        (self._missing if isinstance(act, MissingAct) else self.paths).update(act.paths)

    def line(self) -> str:
        """Return the act, and how many calls it was."""
        if self._only is not None:
            self._only.before = self.before
            return self._only.line()
        return f"{self._together()} [{self.before.total() + self.names.total()} calls]"

    def _together(self) -> str:
        there, missing = len(self.paths), len(self._missing)
        if not there and not missing:
            return "Did housekeeping of the C library and the language"
        used = f"used {number_of(there, 'file')} ({listed(self.paths)})" if there else ""
        looked = f"looked for {number_of(missing, 'file')} in vain" if missing else ""
        what = " and ".join(filter(None, (used, looked)))
        return f"For the system and the language: {what}"
