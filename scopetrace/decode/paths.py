"""Paths as the kernel used them, from what programs passed and from links in /proc.

No file system is asked: a name is only simplified where the result is the same file whatever the
names before it are. So "." and "//" are removed, ".." is resolved only in a base that the kernel
named (it has no symbolic link), and ".." after a name that the program passed stays.
"""

from __future__ import annotations

from functools import lru_cache

DELETED = " (deleted)"
"""What the kernel adds to the link of a name that was deleted (proc(5))."""


def text(name: bytes) -> str:
    """Return a name as text; bytes that are no UTF-8 become lone surrogates."""
    return name.decode("utf-8", "surrogateescape")


def undeleted(link: str) -> str:
    """Return the name a link had before it was deleted."""
    return link.removesuffix(DELETED)


@lru_cache(maxsize=4096)
def absolute(base: str, root: str, passed: str) -> str:
    """Return the absolute path that `passed` means to a task.

    Args:
        base: canonical folder that a relative path starts from; empty if it is not known.
        root: the task's root folder as we see it, "/" unless it is in a chroot.
        passed: what the program passed; empty means `base` itself.
    """
    if passed[:1] == "/":
        base = root
    names = [name for name in passed.split("/") if name not in ("", ".")]
    climbed = next((i for i, name in enumerate(names) if name != ".."), len(names))
    if base:
        base = _parent(base.rstrip("/"), root.rstrip("/"), climbed)
        names = names[climbed:]
    elif passed:
        return passed
    return "/".join((base, *names)) or "/"


def _parent(base: str, root: str, levels: int) -> str:
    """Return the folder `levels` above, but never above the root."""
    for _ in range(levels):
        if base == root:
            break
        base = base.rpartition("/")[0]
    return base
