"""Programs that fail for reasons known beforehand: `why` names the cause of each (failures.txt)."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

import scopetrace
from scopetrace.explain.sentence import sentence
from scopetrace.explain.subject import Subject
from scopetrace.model.names import group_name, user_name
from scopetrace.output.call_explained import why_failed
from scopetrace.output.why import reason_text
from scopetrace.query.tree import read_tree
from scopetrace.query.why import read_bad_end
from support.harness import Stage, session_files
from support.interpreter import python
from support.users import without_rights

HERE = Path(__file__).parent
RUNNER = HERE.parent / "support" / "failing.py"
PATIENCE_S = 240
"""Some 300 programs fail one after the other, which takes long on a busy machine."""
LEAST, LEAST_SHARE = 200, 0.95
"""So many failures are tried, and so many of them have to be explained rightly."""


EXPLAINED = [
    ("EISCONN", "connect", "the socket is connected already"),
    ("EBADF", "close", "no file is open as descriptor 99"),
    ("EBADF", "lseek", "no file is open as descriptor 99"),
    ("ENOTTY", "ioctl", "is a terminal: it is none"),
    ("ESPIPE", "lseek", "it has no positions, since it is a pipe"),
    ("ESPIPE", "pread64", "it has no positions, since it is a pipe"),
    ("EAGAIN", "read", "with O_NONBLOCK it does not wait"),
    ("ECHILD", "wait4", "there is none to wait for"),
    ("EINVAL", "lseek", "the position would lie before the beginning"),
]
"""Error, call and cause of each failure that `why` does not name, in the order of the table."""


class Failing(NamedTuple):
    """A program of the table."""

    kind: str
    program: str
    cause: str
    """What has to be said, with … for any text."""
    known: bool
    """Whether it is said; False: it should be, and is not yet."""


def table(*marks: str) -> list[Failing]:
    """Read the rows of the table with these marks; by default those that `why` is about."""
    found: list[Failing] = []
    program: list[str] = []
    for line in (HERE / "failures.txt").read_text().splitlines():
        kind, text = line[:3].strip(), line[3:]
        if kind in (marks or ("=>", "?>")):
            found.append(Failing(program[0], "\n".join(program[1:]), text, kind == "=>"))
        elif kind in ("py", "sh", "ns", "np"):
            program = [kind, text]
        elif line.startswith("   "):
            program.append(text)
    return found


def recorded(stage: Stage, failing: list[Failing]) -> tuple[list[list[str]], Path]:
    """Record all programs in one session; return for each what it printed, and the session."""
    programs = stage.work / "programs.json"
    programs.write_text(json.dumps([each[:2] for each in failing]))
    shutil.copy(RUNNER, stage.work)
    recording = stage.record([python(), "failing.py", programs, stage.work], timeout=PATIENCE_S)
    (path,) = session_files(stage.home)
    return [line.split() for line in recording.ending.stdout.decode().splitlines()], path


def reasons(stage: Stage, failing: list[Failing]) -> list[tuple[str, str]]:
    """Record all programs in one session; return for each what is said, and what should be."""
    lines, path = recorded(stage, failing)
    with scopetrace.open_session(path) as session:
        classes, roots = session.path_classes, read_tree(session._db)
        found = []
        for number, (each, (pid, held)) in enumerate(zip(failing, lines, strict=True)):
            info = session.info._replace(pid=int(pid))
            end = read_bad_end(session._db, info, classes, roots)
            said = "it did not fail" if end is None else reason_text(end)
            found.append((said, meant(each.cause, stage, number, pid, held)))
    return found


def meant(cause: str, stage: Stage, number: int, pid: str, held: str) -> str:
    """Return a cause with the names and numbers of this run."""
    made = stage.work.stat()
    me = f"{user_name(made.st_uid)}:{group_name(made.st_gid)}"
    values = {"work": f"{stage.work}/{number}", "uid": made.st_uid, "me": me}
    return cause.format(pid=pid, child=held, **values)


def agrees(said: str, wanted: str) -> bool:
    pattern = re.escape(wanted).replace("…", ".*")
    return re.search(rf"← {pattern}$", said) is not None


@pytest.mark.timeout(2 * PATIENCE_S)
@without_rights
def test_the_cause_of_each_failure_is_named(stage: Stage) -> None:
    # Never as root: some would succeed then, and delete files of the system.
    failing = table()
    found = reasons(stage, failing)
    right = [agrees(*each) for each in found]
    wrong = [
        f"{each.kind} {each.program}\n   said {said}\n  wanted {wanted}"
        for each, (said, wanted), agreed in zip(failing, found, right, strict=True)
        if agreed != each.known
    ]

    assert not wrong, "\n" + "\n".join(wrong)
    assert sum(right) >= LEAST_SHARE * len(failing)


def test_the_table_has_enough_failures() -> None:
    assert len(table()) >= LEAST


def explained(path: Path, pid: int, error: str, name: str) -> str:
    """Return the sentence about the last call of this name that failed in a process."""
    with scopetrace.open_session(path) as session:
        query = session.syscall_query(pid=(pid,), error=error)
        made, files = [(row, files) for row, files in query.follow() if row.name == name][-1]
        return sentence(Subject(made, files, why_failed(made, files, query.failure(made))))


@without_rights
def test_what_why_does_not_know_is_explained_where_calls_are_recorded(stage: Stage) -> None:
    failing = [each for each in table() if not each.known]
    stage.environ["SCOPE_SYSCALLS"] = "all"
    lines, path = recorded(stage, failing)

    said = [
        explained(path, int(pid), *EXPLAINED[number][:2]) for number, (pid, _) in enumerate(lines)
    ]

    for sentence_said, (_, _, cause) in zip(said, EXPLAINED, strict=True):
        assert cause in sentence_said


@pytest.mark.timeout(2 * PATIENCE_S)
@without_rights
def test_explain_names_causes_of_calls_without_events(stage: Stage) -> None:
    failing = table("!>")
    stage.environ["SCOPE_SYSCALLS"] = "all"
    lines, path = recorded(stage, failing)

    wrong = []
    for each, (pid, _) in zip(failing, lines, strict=True):
        call, _, cause = each.cause.partition(": ")
        name, error = call.split()
        said = explained(path, int(pid), error, name)
        if cause not in said:
            wrong.append(f"{each.program}\n   said {said}\n  wanted {cause}")

    assert not wrong, "\n" + "\n".join(wrong)
