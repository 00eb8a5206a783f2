"""Files with which two sessions did the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.file_record import OWN, FileRecord
from scopetrace.query.diff import files
from scopetrace.query.diff.alike import without_alike
from scopetrace.query.diff.names import Names, Numbers
from support.session_builder import STARTED_NS

PATHS = (
    "/home/a/x", "/home/a/y", "/home/a/4711", "/home/a/10/y", "/proc/4711/stat", "/proc/812/stat",
    "/tmp/tmpab12cd34", "/tmp/tmpab12cd34/x", "/tmp/tmpxy98zz11/x", "/tmp/x", "/", "/4711",
    "/home/a/m.py", "/home/a/__pycache__/m.cpython-311.pyc", "/home/b/x", "/home/b/y",
)  # fmt: skip
PATHS_OF_A_RUN = st.lists(
    st.tuples(st.sampled_from(PATHS), st.integers(0, 1), st.booleans()), max_size=8
)


def record(path: str, read_bytes: int = 1, changed: bool = False, pid: int = 7) -> FileRecord:
    return FileRecord(
        path, (), OWN, 1, read_bytes, read_bytes, 0, 0, pid, False, changed, False, False, (),
        (pid,), ("cat",), read_bytes,
    )  # fmt: skip


def names(folder: str = "/home/a") -> Names:
    return Names({folder: "."}, Numbers({"4711": "PID"}, STARTED_NS), {})


def left(a: list[FileRecord], b: list[FileRecord]) -> tuple[list[str], list[str]]:
    of_a, of_b = without_alike(a, b, (names(), names("/home/b")))
    return [file.path for file in of_a], [file.path for file in of_b]


def test_what_both_did_the_same_with_is_left_out_whoever_did_it() -> None:
    a = [record("/home/a/x"), record("/etc/y", 5), record("/etc/z")]
    b = [record("/home/b/x", pid=8), record("/etc/y", 6)]

    assert left(a, b) == (["/etc/y", "/etc/z"], ["/etc/y"])


def test_what_another_file_may_be_called_stays() -> None:
    a = [record("/proc/812/stat"), record("/proc/813/stat"), record("/etc/y")]
    b = [record("/proc/812/stat"), record("/etc/y")]

    assert left(a, b) == (["/proc/812/stat", "/proc/813/stat"], ["/proc/812/stat"])


def test_a_module_stays_beside_its_cache() -> None:
    files = [record("/home/c/m.py"), record("/home/c/__pycache__/m.cpython-311.pyc")]

    assert left(files, files) == ([file.path for file in files],) * 2


def test_a_path_of_two_files_stays() -> None:
    twice = [record("/etc/y", 5), record("/etc/y")]

    assert left(twice, twice[1:]) == (["/etc/y", "/etc/y"], ["/etc/y"])


@given(PATHS_OF_A_RUN, PATHS_OF_A_RUN)
def test_it_makes_no_difference(
    a: list[tuple[str, int, bool]], b: list[tuple[str, int, bool]]
) -> None:
    sides = [record(*each) for each in a], [record(*each) for each in b]
    called = (names(), names("/home/b"))
    quick = list(files.compare_files(*sides, called, (), ((), ())))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "without_alike", lambda a, b, names: (a, b))
        assert quick == list(files.compare_files(*sides, called, (), ((), ())))
