"""What the engine looks at when a call has failed, and that it does not look for more."""

from __future__ import annotations

import os
import resource
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from scopetrace.model.raw import EXCESS, LIMIT, PART_REMOVED, STEP, Part, RawRecord
from support.engine_run import calls, engine_run

OPENS = ("open", "openat")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the program starts."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def failed(records: Sequence[RawRecord], passed: str, *names: str) -> RawRecord:
    """Return the call that failed for this path."""
    (record,) = [
        each
        for each in calls(records, *(names or OPENS))
        if each.result < 0 and each.parts().get(Part.PATH) == passed.encode()
    ]
    return record


def steps(record: RawRecord) -> list[tuple[str, int]]:
    """Return the names and the modes of what is on the way."""
    found = []
    for part in record.all_parts(Part.STEP):
        mode, *_ = STEP.unpack_from(part)
        found.append((os.fsdecode(part[STEP.size :]), stat.S_IMODE(mode)))
    return found


@pytest.mark.parametrize(
    ("passed", "missing"),
    [
        ("x/y/z", "{here}/x"),
        ("./x//y", "{here}/x"),
        ("there/x/y/z", "{here}/there/x"),
        ("link/x/y", "{here}/there/x"),
        ("dangling/x", "{here}/dangling"),
        ("x", None),
        ("there/x", None),
        ("/no-such-folder/x", "/no-such-folder"),
        ("/no-such-file", None),
    ],
)
def test_the_first_folder_that_is_missing(passed: str, missing: str | None, folder: Path) -> None:
    (folder / "there").mkdir()
    (folder / "link").symlink_to("there")
    (folder / "dangling").symlink_to("nowhere")
    records, _ = engine_run(["/bin/cat", passed], folder)

    found = failed(records, passed).parts().get(Part.MISSING)
    assert (found and found.decode()) == (missing and missing.format(here=folder))


@pytest.mark.parametrize(
    ("passed", "target"), [("dangling", b"nowhere"), ("dangling/x", b"nowhere"), ("absent", None)]
)
def test_where_a_link_that_leads_to_nothing_leads(
    passed: str, target: bytes | None, folder: Path
) -> None:
    (folder / "dangling").symlink_to("nowhere")
    records, _ = engine_run(["/bin/cat", passed], folder)

    assert failed(records, passed).parts().get(Part.TARGET) == target


def test_each_folder_on_the_way_and_the_file(folder: Path) -> None:
    (folder / "a").mkdir(mode=0o751)
    (folder / "link").symlink_to("a")
    (folder / "a" / "file").write_text("x")
    (folder / "a" / "file").chmod(0o604)
    records, _ = engine_run(["/bin/cat", "link/file/x"], folder)

    record = failed(records, "link/file/x")
    assert steps(record) == [
        (str(folder), 0o755), (f"{folder}/a", 0o751), (f"{folder}/a/file", 0o604),
    ]  # fmt: skip
    assert Part.STATUS not in record.parts(), "who asked makes no difference to ENOTDIR"


def test_who_asked_and_what_refused_an_exec(folder: Path) -> None:
    (folder / "plain").write_text("#!/bin/sh\n")
    records, _ = engine_run(["/bin/sh", "-c", "./plain; true"], folder)

    record = failed(records, "./plain", "execve")
    assert steps(record)[-1] == (f"{folder}/plain", 0o644)
    assert b"\nUid:\t" in record.parts()[Part.STATUS]
    assert record.parts()[Part.HEAD] == b"#!/bin/sh\n"


def test_the_head_of_a_program_whose_interpreter_is_missing(folder: Path) -> None:
    script = folder / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    records, _ = engine_run(["/bin/sh", "-c", "./script; ./absent; true"], folder)

    assert failed(records, "./script", "execve").parts()[Part.HEAD] == b"#!/no/such/interpreter\n"
    assert Part.HEAD not in failed(records, "./absent", "execve").parts()


def test_a_fifo_is_not_opened_to_read_its_head(folder: Path) -> None:
    os.mkfifo(folder / "fifo", 0o755)
    records, _ = engine_run(["/bin/sh", "-c", "./fifo; true"], folder)

    assert Part.HEAD not in failed(records, "./fifo", "execve").parts()


def test_the_limit_of_open_files(folder: Path) -> None:
    script = "ulimit -n 5; cat 3<. 4<. 5<. 6<. 7<. 8<."
    records, _ = engine_run(["/bin/bash", "-c", f"{script}; true"], folder)

    (limited, *_) = [each for each in calls(records, *OPENS, "dup2", "fcntl") if each.result == -24]
    (part,) = limited.all_parts(Part.LIMIT)
    assert LIMIT.unpack(part)[:2] == (resource.RLIMIT_NOFILE, 5)


def links(record: RawRecord) -> list[tuple[str, str]]:
    """Return the names of the links on the way, and where each leads."""
    names = [
        os.fsdecode(part[STEP.size :])
        for part in record.all_parts(Part.STEP)
        if stat.S_ISLNK(STEP.unpack_from(part)[0])
    ]
    targets = map(os.fsdecode, record.all_parts(Part.TARGET))
    return [*zip(names, targets, strict=True)]


def test_the_links_of_a_circle(folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "l").symlink_to(folder / "d")
    (folder / "d/a").symlink_to("b")
    (folder / "d/b").symlink_to("../d/a")
    records, _ = engine_run(["/bin/cat", "l/a/x"], folder)

    found = links(failed(records, "l/a/x"))
    here = str(folder / "d")
    circle = [(f"{here}/a", "b"), (f"{here}/b", "../d/a")] * 20
    assert found == [(str(folder / "l"), here), *circle]


def test_the_links_of_a_chain_that_is_too_long(folder: Path) -> None:
    for number in range(41):
        (folder / f"l{number}").symlink_to(folder / f"l{number + 1}")
    (folder / "l41").write_text("x")
    records, _ = engine_run(["/bin/sh", "-c", "cat l0; cat l1"], folder)

    found = links(failed(records, "l0"))
    assert [name for name, _ in found] == [str(folder / f"l{number}") for number in range(41)]
    assert all(
        each.result >= 0 for each in calls(records, *OPENS) if each.parts()[Part.PATH] == b"l1"
    )


def test_a_link_that_is_not_followed_is_the_last(folder: Path) -> None:
    (folder / "l").symlink_to("d")
    (folder / "d").mkdir()
    (folder / "d/m").symlink_to("x")
    script = "import os; os.open('l/m', os.O_RDONLY | os.O_NOFOLLOW)"
    records, _ = engine_run([sys.executable, "-c", script], folder)

    assert links(failed(records, "l/m")) == [(f"{folder}/l", "d"), (f"{folder}/d/m", "x")]


def test_a_removed_folder_is_marked(folder: Path) -> None:
    script = (
        "import os; os.mkdir('d'); d = os.open('d', os.O_RDONLY); os.rmdir('d'); os.mkdir('d')\n"
        "for name in ('f', 'x/y', '/none'):\n"
        "    try: os.open(name, os.O_RDONLY, dir_fd=d)\n"
        "    except OSError: pass"
    )
    records, _ = engine_run([sys.executable, "-c", script], folder)

    for name in ("f", "x/y"):
        record = failed(records, name)
        assert record.parts()[Part.MISSING] == bytes(folder / "d")
        assert record.flags()[Part.MISSING] == PART_REMOVED
    assert Part.MISSING not in failed(records, "/none").parts()


@pytest.mark.parametrize(
    ("strings", "excess"),
    [
        ("['x' * 131072], {}", (1, 0, 131072, 131071)),
        ("['a', 'x' * 131071, 'x' * 300000], {}", (1, 2, 300000, 131071)),
        ("['a'], {'B': 'x' * 131070}", (2, 0, 131072, 131071)),
        ("['x' * 99999] * 3, {}", (0, 3, 300024, 262144)),
        ("['x' * 99999] * 200, {}", (0, 0, None, 262144)),
    ],
)
def test_which_string_of_an_exec_is_too_long(
    strings: str, excess: tuple[int, ...], folder: Path
) -> None:
    script = (
        "import os, resource; most = resource.RLIM_INFINITY\n"
        "resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, most))\n"
        f"os.execve('/bin/true', {strings})"
    )
    records, _ = engine_run([sys.executable, "-c", script], folder)

    (part,) = failed(records, "/bin/true", "execve").all_parts(Part.EXCESS)
    found = EXCESS.unpack_from(part)
    assert found == tuple(found[2] if each is None else each for each in excess)
    assert part[EXCESS.size :][:2] == {1: b"xx", 2: b"B=", 0: b""}[excess[0]]


def test_a_way_of_many_names_is_cut(folder: Path) -> None:
    (folder / "file").write_text("x")
    passed = "./" * 200 + "file/x"
    records, _ = engine_run(["/bin/cat", passed], folder)

    assert len(steps(failed(records, passed))) == 64
