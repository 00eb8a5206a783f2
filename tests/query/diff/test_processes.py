"""Which processes correspond to which, and what differs between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.model.difference import Slower
from scopetrace.model.process import Process
from scopetrace.query.diff import processes
from support.session_builder import STARTED_NS, image
from support.two_runs import Run, child, compared, ended_at, found


def build(*names: str, link: tuple[str, ...] = ()) -> list[Process]:
    """Return make with a compiler for each name, each with an assembler, and a linker."""
    images = [image(proc="make", cmd="make", args=("make",))]
    for name in names:
        number = len(images) + 1
        images.append(child(number, "gcc", "-c", name))
        images.append(child(number + 1, "as", "-o", f"/tmp/cc{name}.o", parent=number))
    if link:
        images.append(child(len(images) + 1, "gcc", "-o", "program", *link))
        images.append(child(len(images) + 1, "ld", "-o", "program", *link, parent=len(images)))
    return images


def test_the_order_of_processes_is_not_compared(tmp_path: Path) -> None:
    a, b = Run(images=build("a.c", "b.c", "c.c")), Run(images=build("c.c", "a.c", "b.c"))

    assert found(tmp_path, a, b) == []


def test_a_process_of_one_session_stands_for_all_below_it(tmp_path: Path) -> None:
    difference = compared(
        tmp_path, Run(images=build("a.c", "b.c")), Run(images=build("b.c"))
    ).differences

    assert [(d.change, d.subject, d.a, d.b, d.stands_for) for d in difference] == [
        ("only A", "gcc -c a.c", "exit 0", None, 2)
    ]


def test_processes_of_a_version_manager_are_of_the_start_up(tmp_path: Path) -> None:
    script = child(2, "sh", "/usr/lib/python3.11/tool")
    tool = child(4, "tool", parent=2)._replace(pid=script.pid)
    through = [image(), script, child(3, "readlink", "x", parent=2), tool]
    ends = [ended_at(2, code=None, replaced=True)]

    differences = compared(
        tmp_path, Run(images=through, ends=ends), Run(images=[image(), child(2, "tool")])
    ).differences

    assert [(d.change, d.subject, d.is_startup) for d in differences if d.kind == "process"] == [
        ("only A", "readlink x", True)
    ]


def test_arguments_that_are_passed_on_are_one_difference(tmp_path: Path) -> None:
    a = Run(images=build(link=("a.o", "b.o")))
    b = Run(images=build(link=("a.o", "b.o", "c.o")))

    assert found(tmp_path, a, b) == [
        ("content", "process", "gcc -o program a.o b.o c.o", "", "c.o")
    ]


def test_the_first_process_and_the_last_cause_are_told(tmp_path: Path) -> None:
    images = build("a.c", "b.c")
    failing = [ended_at(1, code=2), ended_at(2, code=1), ended_at(3, code=None, signal=11)]

    assert found(tmp_path, Run(images=images), Run(images=images, ends=failing)) == [
        ("result", "process", "make", "exit 0", "exit 2"),
        ("result", "process", "as -o /tmp/cca.c.o", "exit 0", "SIGSEGV"),
    ]


def test_a_pipe_that_was_closed_early_is_no_difference(tmp_path: Path) -> None:
    images = [image(), child(2, "yes")]
    killed, failed = ended_at(2, code=None, signal=13), ended_at(2, code=1)

    assert found(tmp_path, Run(images=images), Run(images=images, ends=[killed])) == []
    runs = [Run(images=images, ends=[end]) for end in (failed, killed)]
    assert found(tmp_path, *runs) == [("result", "process", "yes", "exit 1", "SIGPIPE")]


def test_of_equal_processes_those_that_ended_alike_are_pairs(tmp_path: Path) -> None:
    images = [image(), *(child(number, "worker") for number in (2, 3, 4))]
    a = Run(images=images, ends=[ended_at(2, code=1)])
    b = Run(images=images, ends=[ended_at(4, code=1)])

    assert found(tmp_path, a, b) == []


def test_of_processes_that_are_equally_alike_those_that_ended_alike_are_pairs(
    tmp_path: Path,
) -> None:
    a = Run(images=[image(), child(2, "tool", "x", "y")], ends=[ended_at(2, code=1)])
    b = Run(
        images=[image(), child(2, "tool", "x", "v"), child(3, "tool", "x", "w")],
        ends=[ended_at(3, code=1)],
    )

    assert found(tmp_path, a, b) == [
        ("only B", "process", "tool x v", None, "exit 0"),
        ("content", "process", "tool x w", "y", "w"),
    ]


def test_too_many_processes_are_not_compared_word_by_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = (
        Run(images=[image(), *(child(n, "tool", "x", f"{name}{n}") for n in (2, 3))])
        for name in "ab"
    )
    for most, changes in ((4, ["content"] * 2), (3, ["only A"] * 2 + ["only B"] * 2)):
        monkeypatch.setattr(processes, "MOST_COMPARED", most)

        assert [each[0] for each in found(tmp_path, a, b)] == changes


def test_a_program_of_another_folder_is_told_once(tmp_path: Path) -> None:
    def run(folder: str) -> Run:
        exe = f"{folder}/tool"
        return Run(images=[image(), *(child(n, "tool", str(n), exe=exe) for n in (2, 3))])

    (difference,) = compared(tmp_path, run("/usr/bin"), run("/opt/bin")).differences

    assert (difference.aspect, difference.a, difference.b, difference.stands_for) == (
        "program", "/usr/bin/tool", "/opt/bin/tool", 2,
    )  # fmt: skip


def test_a_script_of_another_folder_is_the_same_script(tmp_path: Path) -> None:
    def run(folder: str) -> Run:
        return Run(images=[image(), child(2, "sh", f"{folder}/tool")])

    assert found(tmp_path, run("/a"), run("/b")) == [
        ("content", "process", "sh /b/tool", "/a/tool", "/b/tool")
    ]


def test_another_user_and_another_folder(tmp_path: Path) -> None:
    a, b = child(2, "tool"), child(2, "tool", username="root", cwd="/srv")

    assert found(tmp_path, Run(images=[image(), a]), Run(images=[image(), b])) == [
        ("content", "process", "tool", "/home/ann", "/srv"),
        ("content", "process", "tool", "ann", "root"),
    ]


def test_a_user_without_a_name_is_a_number(tmp_path: Path) -> None:
    a, b = (child(2, "tool", username="", uid=uid) for uid in (5, 6))

    assert found(tmp_path, Run(images=[image(), a]), Run(images=[image(), b])) == [
        ("content", "process", "tool", "5", "6"),
    ]


def test_durations_are_compared_if_asked_for(tmp_path: Path) -> None:
    images = [image(), child(2, "fast"), child(3, "slow")]
    a = Run(images=images, ends=[ended_at(1, 2), ended_at(2, 0.01), ended_at(3, 1)])
    b = Run(images=images, ends=[ended_at(1, 4), ended_at(2, 0.09), ended_at(3, 3)])

    assert found(tmp_path, a, b) == []
    assert found(tmp_path, a, b, slower=Slower()) == [
        ("slower", "process", "python3 log.py", 2_000_000, 4_000_000),
        ("slower", "process", "slow", 1_000_000, 3_000_000),
    ]
    assert found(tmp_path, a, b, slower=Slower(factor=3)) == [
        ("slower", "process", "slow", 1_000_000, 3_000_000)
    ]
    assert len(found(tmp_path, a, b, slower=Slower(floor_us=2_000_000))) == 2
    assert found(tmp_path, a, b, slower=Slower(floor_us=2_000_001)) == []


def test_a_process_that_became_another_program_is_compared_by_all_of_them(tmp_path: Path) -> None:
    def run(*programs: str) -> Run:
        images, ends = [image()], []
        for at, program in enumerate(programs, 2):
            parent = at - 1
            images.append(child(at, program, parent=parent, pid=500, started_ns=STARTED_NS + at))
            ends.append(ended_at(at, replaced=at < len(programs) + 1))
        return Run(images=images, ends=ends)

    assert found(tmp_path, run("sh", "env", "tool"), run("sh", "env", "tool")) == []
    assert found(tmp_path, run("sh", "env", "tool"), run("sh", "env", "other")) == [
        ("only A", "process", "tool", "exit 0", None),
        ("only B", "process", "other", None, "exit 0"),
    ]
