"""The tree of processes as lines."""

from __future__ import annotations

from typing import Any

import pytest

from scopetrace.model.process_tree import ProcessNode
from scopetrace.output import tree
from scopetrace.output.tree import tree_lines
from scopetrace.output.width import display_width
from support.session_builder import STARTED_NS, image

MS = 1_000_000


def node(pid: int, *children: ProcessNode, cmd: str = "sh", **facts: Any) -> ProcessNode:
    began = facts.pop("began_ms", 0)
    plain: dict[str, Any] = {
        "ended_ns": STARTED_NS + 20 * MS,
        "exit_code": 0,
        "signal": None,
        "cpu_us": 1500,
        "max_rss_kib": 2048,
    }
    process = image(pid, pid=pid, cmd=cmd, proc=cmd, started_ns=STARTED_NS + began * MS)
    return ProcessNode(images=(process,), children=children, **{**plain, **facts})


TREE = (
    node(
        1,
        node(2, node(3, cmd="cc1", exit_code=None, signal=11), cmd="gcc", exit_code=4),
        node(4, cmd="ls", began_ms=5),
        cmd="make",
    ),
)


def test_children_stand_below_their_parents() -> None:
    assert list(tree_lines(TREE, 80)) == [
        "[1] make  exit 0, 20.0 ms",
        "├─ [2] gcc  exit 4, 20.0 ms",
        "│  └─ [3] cc1  SIGSEGV, 20.0 ms",
        "└─ [4] ls  exit 0, 15.0 ms",
    ]


def test_a_wide_terminal_has_cpu_time_and_memory() -> None:
    assert next(tree_lines(TREE, 100)) == "[1] make  exit 0, 20.0 ms, cpu 1.5 ms, 2.0 MiB"


def test_only_failures_and_what_is_above_them() -> None:
    assert [line.split("[")[1][0] for line in tree_lines(TREE, 80, failed=True)] == ["1", "2", "3"]
    assert list(tree_lines((node(1),), 80, failed=True)) == []


def test_of_processes_far_below_others_the_level_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tree, "MOST_DRAWN", 2)
    chain = node(5)
    for pid in (4, 3, 2, 1):
        chain = node(pid, chain, *((node(9),) if pid == 4 else ()))

    assert [line.partition("  exit")[0] for line in tree_lines((chain,), 80)] == [
        "[1] sh",
        "└─ [2] sh",
        "   └─ [3] sh",
        "      └─ level 3: [4] sh",
        "      ├─ level 4: [5] sh",
        "      └─ level 4: [9] sh",
    ]


@pytest.mark.parametrize(("depth", "count"), [(0, 1), (1, 3), (2, 4), (None, 4)])
def test_depth_is_bounded(depth: int | None, count: int) -> None:
    assert len(list(tree_lines(TREE, 80, depth=depth))) == count


def test_lines_begin_with_the_time_of_the_start_if_wanted() -> None:
    assert [line[:9] for line in tree_lines(TREE, 80, times=True)] == [
        "    0.000",
        "    0.000",
        "    0.000",
        "    0.005",
    ]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    long = (node(1, node(2, cmd="cc " * 200), cmd="make " * 100),)

    assert all(display_width(line) <= width for line in tree_lines(long, width))


def test_a_hostile_command_stays_text() -> None:
    assert "\x1b" not in "".join(tree_lines((node(1, cmd="\x1b[2J"),), None))


def test_shims_are_named() -> None:
    chain = tuple(
        image(at, pid=1, proc=proc, cmd=proc) for at, proc in enumerate(("sh", "env", "python3"))
    )
    (line,) = tree_lines((node(1)._replace(images=chain),), 80)

    assert line.startswith("[1] python3  (through env)  exit 0")
