"""Who refuses: which folder on the way, or which file, lacks a permission for who asked.

The engine says what stands on the way (STEP) and who asks (STATUS); what the kernel makes of that
is worked out here, as path_resolution(7), inode(7) and capabilities(7) describe it. Where the
permissions would allow the call, something else refuses (an ACL, a security module), and nothing is
said.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from scopetrace.decode.capabilities import CAPABILITIES

READ, WRITE, EXECUTE, SEARCH, OWNER = "read", "write", "execute", "search", "owner"
BITS = {READ: 4, WRITE: 2, EXECUTE: 1, SEARCH: 1}
STICKY, IMMUTABLE, APPEND_ONLY, ACL = "sticky", "immutable", "append_only", "acl"
PROTECTED_REGULAR, PROTECTED_HARDLINKS = "protected_regular", "protected_hardlinks"
HAS_ACL = 1 << 63
"""STEP_HAS_ACL of record.h."""
ATTRIBUTES = {0x10: IMMUTABLE, 0x20: APPEND_ONLY}
"""STATX_ATTR_IMMUTABLE and STATX_ATTR_APPEND (statx(2))."""

CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER = 1, 2, 3
SETTABLE = 0o111
"""The bits of which a file needs one for CAP_DAC_OVERRIDE to allow its execution."""


class Step(NamedTuple):
    """A folder on the way to a path, or what the path means."""

    mode: int
    uid: int
    gid: int
    path: int
    """1 or 2: of which path of the call."""
    attributes: int
    name: str


class Asker(NamedTuple):
    """Who made a call: the ids that count for files (credentials(7))."""

    uid: int
    gid: int
    groups: frozenset[int] = frozenset()
    capabilities: int = 0

    def has(self, capability: int) -> bool:
        """Whether one of its effective capabilities is this."""
        return bool(self.capabilities >> capability & 1)


class Wanted(NamedTuple):
    """The rights that a call needs."""

    of_file: tuple[str, ...] = ()
    of_folder: tuple[str, ...] = ()
    """Of the folder that the file is in."""
    removes: bool = False
    """It takes a name away, which a sticky folder allows to owners only."""
    creates: bool = False
    """It would make the file if it were not there (O_CREAT)."""
    links: bool = False
    """It gives the file another name."""


class Refusal(NamedTuple):
    """What refuses, and for lack of what."""

    step: Step
    needs: str
    obstacle: str | None = None


def read_asker(status: bytes, *, real: bool = False) -> Asker | None:
    """Return who a thread is, by the text of its /proc/TID/status; None if that is not there.

    `real`: the ids that access(2) counts.
    """
    lines = dict(line.split(b":\t", 1) for line in status.split(b"\n") if b":\t" in line)
    try:
        place = 0 if real else 3
        uid, gid = int(lines[b"Uid"].split()[place]), int(lines[b"Gid"].split()[place])
        groups = frozenset(map(int, lines.get(b"Groups", b"").split()))
        effective = lines.get(b"CapPrm" if real and uid == 0 else b"CapEff", b"0")
        return Asker(uid, gid, groups, 0 if real and uid else int(effective, 16))
    except (KeyError, IndexError, ValueError):
        return None


def find_refusal(
    steps: Sequence[Step], name: str, asker: Asker, wanted: Wanted, error: int = 0
) -> Refusal | None:
    """Return what refuses a call whose path has these steps and means `name`; None: not known.

    Permissions refuse with EACCES, attributes with EPERM (path_resolution(7), chattr(1)); `error`
    is 0 if it is not known. Where an access control list may allow what the mode does not, the
    next one that refuses is returned, if there is any.
    """
    every = _refusals(steps, name, asker, wanted)
    found = [each for each in every if not error or _refuses_with(each, error)]
    sure = next((each for each in found if each.obstacle != ACL), None)
    return sure or next(iter(found), None)


def _refuses_with(found: Refusal, error: int) -> bool:
    is_attribute = found.obstacle in ATTRIBUTES.values()
    by_permissions = found.needs in BITS and not is_attribute
    return by_permissions == (error == errno.EACCES) if by_permissions or is_attribute else True


def _refusals(steps: Sequence[Step], name: str, asker: Asker, wanted: Wanted) -> Iterator[Refusal]:
    """Yield what refuses, in the order in which the kernel asks."""
    way = [step for step in steps if step.name != name]
    file = steps[-1] if steps and steps[-1].name == name else None
    for step in way:
        if stat.S_ISDIR(step.mode):
            yield from _lacking(step, asker, (SEARCH,))
    folder = way[-1] if way else None
    yield from _lacking(folder, asker, wanted.of_folder)
    yield from _lacking(file, asker, wanted.of_file)
    if file is not None and folder is not None:
        yield from _protected(folder, file, asker, wanted)


def _lacking(step: Step | None, asker: Asker, rights: Iterable[str]) -> Iterator[Refusal]:
    """Yield the rights that a file or folder does not give."""
    for right in rights if step is not None else ():
        assert step is not None
        obstacle = _attribute(step) if right in (WRITE, OWNER) else None
        if obstacle:
            yield Refusal(step, right, obstacle)
        if not _allows(step, asker, right):
            has_acl = step.attributes & HAS_ACL and right in BITS
            yield Refusal(step, right, ACL if has_acl else None)


def _attribute(step: Step) -> str | None:
    return next((name for bit, name in ATTRIBUTES.items() if step.attributes & bit), None)


def _protected(folder: Step, file: Step, asker: Asker, wanted: Wanted) -> Iterator[Refusal]:
    """Yield what is left to owners: in a sticky folder (inode(7)), and by fs.protected_… (proc(5)).

    These settings refuse root as well, if the file is another user's. The attributes immutable and
    append-only refuse every user.
    """
    sticky, owns = bool(folder.mode & stat.S_ISVTX), asker.uid == file.uid
    privileged = asker.has(CAP_FOWNER)
    if wanted.removes and sticky and not (owns or privileged or asker.uid == folder.uid):
        yield Refusal(folder, OWNER, STICKY)
    if wanted.creates and sticky and not owns and file.uid != folder.uid:
        yield Refusal(file, OWNER, PROTECTED_REGULAR)
    if (wanted.removes or wanted.links) and (obstacle := _attribute(file)):
        yield Refusal(file, OWNER, obstacle)
    if wanted.links and not (owns or privileged):
        yield Refusal(file, OWNER, PROTECTED_HARDLINKS)


def _allows(step: Step, asker: Asker, right: str) -> bool:
    if right == OWNER:
        return asker.uid == step.uid or asker.has(CAP_FOWNER)
    if right not in BITS:
        return asker.has(CAPABILITIES[right])
    if step.uid == asker.uid:
        mode = step.mode >> 6
    elif step.gid == asker.gid or step.gid in asker.groups:
        mode = step.mode >> 3
    else:
        mode = step.mode
    return bool(mode & BITS[right]) or _overrides(step, asker, right)


def _overrides(step: Step, asker: Asker, right: str) -> bool:
    """Whether a capability gives the right that the permissions do not."""
    if asker.has(CAP_DAC_READ_SEARCH) and right in (READ, SEARCH):
        return True
    executable = stat.S_ISDIR(step.mode) or bool(step.mode & SETTABLE)
    return asker.has(CAP_DAC_OVERRIDE) and (right != EXECUTE or executable)


CREATES = Wanted(of_folder=(WRITE,))
REMOVES = Wanted(of_folder=(WRITE,), removes=True)
WRITES = Wanted(of_file=(WRITE,))
OWNS = Wanted(of_file=(OWNER,))
CHOWNS = Wanted(of_file=("CAP_CHOWN",))

SETS_TIMES = ("utime", "utimes", "futimesat", "utimensat", "utimensat_time64")
BY_OP: dict[str, Wanted] = {
    **dict.fromkeys(("unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2"), REMOVES),
    **dict.fromkeys(("mkdir", "mkdirat", "mknod", "mknodat", "bind"), CREATES),
    **dict.fromkeys(("truncate", "truncate64", "setxattr", "removexattr", "connect"), WRITES),
    **dict.fromkeys(("sendto", "sendmsg", "sendmmsg"), WRITES),
    **dict.fromkeys(("chmod", "fchmod", "fchmodat", "fchmodat2"), OWNS),
    **dict.fromkeys(SETS_TIMES, OWNS),
    **dict.fromkeys(("chown", "lchown", "fchown", "fchownat"), CHOWNS),
    **dict.fromkeys(("chown32", "lchown32", "fchown32"), CHOWNS),
    **dict.fromkeys(("execve", "execveat"), Wanted(of_file=(EXECUTE,))),
    **dict.fromkeys(("chdir", "chroot"), Wanted(of_file=(SEARCH,))),
    **dict.fromkeys(("link", "linkat"), Wanted(links=True)),
    "inotify_add_watch": Wanted(of_file=(READ,)),
}
"""What calls need whose arguments do not say it."""
SECOND: dict[str, Wanted] = {
    **dict.fromkeys(("rename", "renameat", "renameat2"), REMOVES),
    **dict.fromkeys(("link", "linkat", "symlink", "symlinkat"), CREATES),
}
"""What they need of their second path."""

ACCESS = {os.R_OK: READ, os.W_OK: WRITE, os.X_OK: EXECUTE}


def wanted_by_open(flags: int, *, there: bool) -> Wanted:
    """Return what open(2) needs; `there`: the file exists."""
    mode = flags & os.O_ACCMODE
    rights = {os.O_RDONLY: (READ,), os.O_WRONLY: (WRITE,)}.get(mode, (READ, WRITE))
    if flags & os.O_TRUNC and WRITE not in rights:
        rights = (*rights, WRITE)
    if flags & os.O_NOATIME:
        rights = (*rights, OWNER)
    if flags & os.O_CREAT and not there:
        return CREATES
    return Wanted(of_file=rights, creates=bool(flags & os.O_CREAT))


def wanted_by_access(mode: int) -> Wanted:
    """Return what access(2) asks for."""
    return Wanted(of_file=tuple(right for bit, right in ACCESS.items() if mode & bit))
