"""The limit of a control group on processes: cgroups(7), version 2."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC, CGROUP = Path("/proc"), Path("/sys/fs/cgroup")


def reached_pids_max(pid: int, proc: Path = PROC, root: Path = CGROUP) -> int | None:
    """Return pids.max of the control group of a process, or above, that has so many; else None."""
    for folder in _groups(pid, proc, root):
        try:
            most = (folder / "pids.max").read_text().strip()
            there = int((folder / "pids.current").read_text())
        except (OSError, ValueError):
            continue
        if most.isdecimal() and there >= int(most):
            return int(most)
    return None


def _groups(pid: int, proc: Path, root: Path) -> Iterator[Path]:
    """Yield the folder of the group that a process is in, and those above it."""
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        if line.startswith("0::/"):
            folder = root / line.removeprefix("0::/")
            yield folder
            yield from (above for above in folder.parents if above.is_relative_to(root))
