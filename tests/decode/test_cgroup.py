"""Limits of control groups on processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.decode.cgroup import reached_pids_max


@pytest.fixture
def system(tmp_path: Path):
    """Make a process 7 in the group /a/b; each group has a limit and a count."""

    def go(inner: tuple[str, str], outer: tuple[str, str]) -> tuple[Path, Path]:
        (tmp_path / "proc" / "7").mkdir(parents=True)
        (tmp_path / "proc" / "7" / "cgroup").write_text("1:cpu:/x\n0::/a/b\n")
        for folder, (most, there) in (("a/b", inner), ("a", outer)):
            place = tmp_path / "root" / folder
            place.mkdir(parents=True, exist_ok=True)
            (place / "pids.max").write_text(f"{most}\n")
            (place / "pids.current").write_text(f"{there}\n")
        return tmp_path / "proc", tmp_path / "root"

    return go


@pytest.mark.parametrize(
    ("inner", "outer", "found"),
    [
        (("20", "20"), ("max", "30"), 20),
        (("20", "19"), ("max", "30"), None),
        (("max", "20"), ("30", "30"), 30),
        (("max", "20"), ("", ""), None),
    ],
)
def test_the_group_that_is_full(inner, outer, found, system) -> None:
    assert reached_pids_max(7, *system(inner, outer)) == found


def test_a_process_that_has_ended_is_in_none(tmp_path: Path) -> None:
    assert reached_pids_max(7, tmp_path, tmp_path) is None
