"""What the engine looks at when a call has failed, and that it does not look for more."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest

from scopetrace.model.raw import LIMIT, STEP, Part, RawRecord
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


def test_a_way_of_many_names_is_cut(folder: Path) -> None:
    (folder / "file").write_text("x")
    passed = "./" * 200 + "file/x"
    records, _ = engine_run(["/bin/cat", passed], folder)

    assert len(steps(failed(records, passed))) == 64
