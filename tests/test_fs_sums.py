"""The sums of fs events are what `json.loads` and plain additions would make of them, and the names
of files are compared with those of a real folder.
"""

from __future__ import annotations

import ctypes
import json
import os
import posixpath
import sqlite3
import tempfile
from contextlib import closing
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace import _fs_sums
from scopetrace._fs_sums import Files, UsedFile
from support.json_bytes import compact, escaped
from support.sqlite_extensions import loads_extensions

ADDED = ("fs.open", "fs.close", "fs.error", "fs.mkdir", "fs.attr")
SOURCES = (*ADDED, "fs.openat", "net.open", "")
FLAGS = ("O_RDONLY", "O_RDWR|O_CREAT", "O_CREAT|O_EXCL", "O_TRUNC", "O_TMPFILE", "O_DIRECTORY", "")
SUMS = (
    "opens", "read_bytes", "read_ops", "written_bytes", "written_ops", "io_us", "most_read_bytes",
    "most_written_bytes", "mapped", "changed", "exists", "folder", "errors", "processes",
)  # fmt: skip
SELECT = "SELECT count(add_event(?1, source, process, data, id)) FROM event"
numbers = st.integers(0, 2**40)
others = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(allow_nan=False) | st.text("\"\\}a,:['{"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
texts = st.sampled_from(["/a", '/"b"', "/c\\", "/d\n", "/é", "/e\udcff", "/😀", ""])
data = st.fixed_dictionaries(
    {},
    optional={
        "op": texts,
        "file": texts,
        "flags": st.sampled_from(FLAGS),
        "error": st.sampled_from(("ENOENT", "EACCES", "")),
        "file_read_bytes": numbers,
        "file_read_ops": numbers,
        "file_write_bytes": numbers,
        "file_write_ops": numbers,
        "io_duration": numbers,
        "file_mapped": st.booleans() | st.sampled_from((0, 1)),
        "file_created": st.booleans() | st.sampled_from((0, 1)),
        "file_": others,
        "refused_by": others,
    },
)
events = st.lists(st.tuples(st.sampled_from(SOURCES), st.integers(1, 3), data))


class Plain(UsedFile):
    """The same sums, by Python."""

    def add(self, source: str, process: int, data: dict[str, Any]) -> None:
        self.add_process(process)
        {
            "fs.open": self._open,
            "fs.close": self._close,
            "fs.error": self._fail,
        }.get(source, lambda _: self.change())(data)

    def _open(self, data: dict[str, Any]) -> None:
        flags = set(data.get("flags", "").split("|"))
        self.opens += 1
        self.exists = True
        self.changed |= flags >= {"O_CREAT", "O_EXCL"} or bool(flags & {"O_TRUNC", "O_TMPFILE"})
        self.changed |= bool(data.get("file_created"))
        self.folder |= "O_DIRECTORY" in flags

    def _close(self, data: dict[str, Any]) -> None:
        if data.get("file_read_ops"):
            self.read_ops += data["file_read_ops"]
            self.read_bytes += data.get("file_read_bytes", 0)
            self.most_read_bytes = max(self.most_read_bytes, data.get("file_read_bytes", 0))
        if data.get("file_write_ops"):
            self.written_ops += data["file_write_ops"]
            self.written_bytes += data.get("file_write_bytes", 0)
            self.most_written_bytes = max(self.most_written_bytes, data.get("file_write_bytes", 0))
        self.io_us += data.get("io_duration", 0)
        self.mapped |= bool(data.get("file_mapped"))

    def _fail(self, data: dict[str, Any]) -> None:
        self.errors = tuple(dict.fromkeys((*self.errors, data.get("error", ""))))


@loads_extensions
@pytest.mark.parametrize("encode", [compact, escaped])
@given(events)
def test_events_are_added_up_by_file(encode: Any, events: list[Any]) -> None:
    rows = [(source.encode(), process, encode(data)) for source, process, data in events]
    files = Files()
    files.add(rows)

    expected: dict[str, Plain] = {}
    for source, process, data in events:
        if source in ADDED and data.get("file"):
            expected.setdefault(data["file"], Plain()).add(source, process, data)
    assert all_sums(files) == {name: sums(file) for name, file in expected.items()}

    selected = Files()
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, source, process, data)")
        insert = "INSERT INTO event VALUES (NULL, CAST(? AS TEXT), ?, CAST(? AS TEXT))"
        db.executemany(insert, rows)
        assert selected.add_selected(db, _fs_sums.__file__, SELECT, 1_000)
    assert all_sums(selected) == all_sums(files)


def all_sums(files: Files) -> dict[str, list[Any]]:
    return {file.path: sums(file) for file in files}


def sums(file: UsedFile) -> list[Any]:
    return [getattr(file, name) for name in SUMS]


paths = st.sampled_from(["/a", "/a/b", "/c/b", "b", '/"b"', "/e\udcff/b", ""])
named = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("file", "file_new", "file_target", "file_passed"), paths)
)


@loads_extensions
@given(st.lists(st.tuples(st.sampled_from((*ADDED, "fs.rename", "fs.delete", "fs.link")), named)))
def test_names_have_the_events_that_have_them(events: list[tuple[str, dict[str, str]]]) -> None:
    """What was passed counts where a search for its last name does not find the file."""
    files = Files()
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, source, process, data)")
        rows = ((at**2, source, compact(data)) for at, (source, data) in enumerate(events, 1))
        db.executemany("INSERT INTO event VALUES (?, ?, 1, CAST(? AS TEXT))", rows)
        assert not files.has_uses
        files.add_selected(db, _fs_sums.__file__, SELECT, 1_000, with_uses=True)
    assert files.has_uses

    counts: dict[str | None, int] = {None: 0}
    naming: dict[str | None, list[int]] = {None: []}
    for at, (_, data) in enumerate(events, 1):
        counts[data.get("file")] = counts.get(data.get("file"), 0) + 1
        names = dict(data)
        if posixpath.basename(names.get("file_passed", "")) == posixpath.basename(
            names.get("file", "")
        ):
            names.pop("file_passed", None)
        for name in names.values():
            naming.setdefault(name, []).append(at**2)
    found = {name: (count, list(accumulate(steps))) for name, count, steps in files.names()}
    assert found == {name: (counts.get(name, 0), ids) for name, ids in naming.items()}


@loads_extensions
@pytest.mark.parametrize(("source", "number"), [("fs.else", 1), ("fs.open", 2**32)])
def test_names_of_unknown_events_and_huge_numbers_are_not_kept(source: str, number: int) -> None:
    files = Files()
    sql = f"""SELECT count(add_event(?1, '{source}', 1, '{{"file":"/a"}}', {number}))"""
    with closing(sqlite3.connect(":memory:")) as db:
        files.add_selected(db, _fs_sums.__file__, sql, 9, with_uses=True)
    assert not files.has_uses


@given(st.binary(max_size=40) | data.map(compact).map(lambda text: text[:-3]))
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            Files().add([(b"fs.open", 1, b'{"file":"/a",' + text)])


def test_names_that_change_hold_from_the_next_event_on() -> None:
    files, opened = Files(), (b"fs.open", 1, b'{"file":"/a","flags":""}')

    files.add([opened, (b"fs.rename", 2, b'{"file":"/a","file_new":"/b"}'), opened])

    assert [(file.path, file.opens, file.processes) for file in files] == [
        ("/b", 1, [1, 2]),
        ("/a", 1, [1]),
    ]


@loads_extensions
@pytest.mark.parametrize("kept_from", [{}, {"flags": "x" * 600}, {"flags": 'x"'}])
def test_events_that_wait_are_taken_in_their_order(kept_from: dict[str, str]) -> None:
    """A long or escaped text keeps an event from waiting."""
    opened = {"file": "/a"}
    renamed = {"file": "/a", "file_new": "/b", **kept_from}
    rows = [("fs.open", opened), ("fs.rename", renamed)] * 20
    files = Files()
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, source, process, data)")
        values = [(source, at, compact(data).decode()) for at, (source, data) in enumerate(rows)]
        db.executemany("INSERT INTO event VALUES (NULL, ?, ?, ?)", values)
        assert files.add_selected(db, _fs_sums.__file__, SELECT, 9)

    (file,) = files
    assert (file.path, file.opens, list(file.names)) == ("/b", 20, ["/a"])
    assert file.processes[-1] == 39


@pytest.mark.parametrize(
    ("source", "data", "left"),
    [
        ("fs.rename", {"file": "/a"}, [("/a", []), ("/b", [])]),
        ("fs.rename", {"file": "/a", "file_new": "/c"}, [("/c", ["/a"]), ("/b", [])]),
        ("fs.rename", {"file": "/a", "file_new": "/b"}, [("/b", ["/a"])]),
        (
            "fs.rename",
            {"file": "/a", "file_new": "/b", "file_exchanged": True},
            [("/b", ["/a"]), ("/a", ["/b"])],
        ),
        (
            "fs.link",
            {"op": "linkat", "file": "/c", "file_target": "/a"},
            [("/a", ["/c"]), ("/b", [])],
        ),
        (
            "fs.link",
            {"op": "symlink", "file": "/c", "file_target": "/a"},
            [("/a", []), ("/b", []), ("/c", [])],
        ),
        ("fs.delete", {"file": "/a"}, [("/a", []), ("/b", [])]),
    ],
)
def test_an_event_says_which_names_change(
    source: str, data: dict[str, Any], left: list[tuple[str, list[str]]]
) -> None:
    files = Files()
    files.at("/a")
    files.at("/b")

    files.add([(source.encode(), 7, compact(data))])

    assert [(file.path, list(file.names)) for file in files] == left
    assert len(files) == len(left)
    assert [file.path for file in files if file.processes] == (
        []
        if len(data) == 1 and source == "fs.rename"
        else ["/b", "/a"]
        if "file_exchanged" in data
        else ["/c"]
        if data.get("op") == "symlink"
        else [data.get("file_new") or data.get("file_target") or data["file"]]
    )
    assert [file.path for file in files if file.deleted] == ["/a"] * (source == "fs.delete")


def test_a_folder_that_is_renamed_to_what_is_in_it_is_no_error() -> None:
    files = Files()
    files.at("/a/b").exists = True
    files.exchanged("/a", "/a/b")

    assert len(files) == 2


@given(st.lists(st.integers(1, 40), max_size=300), st.lists(st.integers(1, 40), max_size=300))
def test_each_process_is_known_once_in_the_order_of_its_first_use(
    one: list[int], other: list[int]
) -> None:
    file, former = UsedFile(), UsedFile()
    for number in one:
        file.add_process(number)
    for number in other:
        former.add_process(number)
    numbers = {number: (number % 3,) for number in range(20)}
    of_one = tuple(dict.fromkeys(number % 3 for number in one if number < 20))
    assert file.facts("own", numbers, {})[14:16] == (of_one, ())
    assert file.processes == list(dict.fromkeys(one))

    file.join_processes(former)
    assert sorted(file.processes) == sorted({*one, *other})
    file.forget_processes(2)
    assert len(file.processes) == min(2, len({*one, *other}))
    file.add_process(99)
    assert file.processes[-1] == 99


@loads_extensions
def test_reading_ends_where_it_is_enough_or_fails() -> None:
    sql = """
    WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 5000)
    SELECT count(add_event(?1, {source}, 1, '{{"file":"/a' || n || '"}}', n)) FROM more"""
    files = Files()
    with closing(sqlite3.connect(":memory:")) as db:
        reading = (db, _fs_sums.__file__)
        opens = sql.format(source="'fs.open'")
        assert not files.add_selected(*reading, opens, 2000)
        assert 2000 < len(files) < 5000
        with pytest.raises(ValueError):
            Files().add_selected(*reading, opens.replace('"}', '"'), 9000)
        with pytest.raises(MemoryError):
            Files().add_selected(*reading, sql.format(source="NULL"), 9000)


def test_many_paths_are_kept_as_they_are() -> None:
    """Also where one is a part of the one before, and the room for them grows."""
    files = Files()
    paths = ["/" + "/".join(f"{number}é" * (depth % 5 + 1) for depth in range(number % 40))
             for number in range(5_000)]  # fmt: skip
    for path in paths:
        files.at(path).add_process(len(path))

    assert [file.path for file in files] == list(dict.fromkeys(paths))
    assert all(files.find(path) is files.at(path) for path in paths)


AT_FDCWD = -100
RENAME_EXCHANGE = 2
LIBC = ctypes.CDLL(None, use_errno=True)


class Folder:
    """Does to a real folder what it reports to the names, as far as the kernel lets it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.names = Files()

    def act(self, act: str, one: str, other: str) -> None:
        one, other = f"{self.root}/{one}", f"{self.root}/{other}"
        try:
            getattr(self, act)(one, other)
        except OSError:
            if act != "missed":
                self.names.at(one)  # it was looked for

    def create(self, one: str, _: str) -> None:
        os.close(os.open(one, os.O_CREAT | os.O_WRONLY))
        self.names.at(one).exists = True

    def mkdir(self, one: str, _: str) -> None:
        Path(one).mkdir()
        self.names.at(one).exists = True

    def remove(self, one: str, _: str) -> None:
        if Path(one).is_dir():
            Path(one).rmdir()
        else:
            Path(one).unlink()
        self.names.deleted(one)

    def rename(self, one: str, other: str) -> None:
        Path(one).rename(other)
        self.names.renamed(one, other)

    def link(self, one: str, other: str) -> None:
        os.link(one, other)
        self.names.linked(one, other)

    def exchange(self, one: str, other: str) -> None:
        paths = os.fsencode(one), os.fsencode(other)
        if LIBC.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE):
            raise OSError(ctypes.get_errno())
        self.names.exchanged(one, other)

    def compare(self) -> None:
        """Files that are there have the same record if, and only if, they are the same."""
        rows: dict[int, object] = {}
        for path in sorted(map(str, Path(self.root).rglob("*"))):
            file = self.names.at(path)
            assert rows.setdefault(os.lstat(path).st_ino, file) is file, path
            assert path == file.path or path in file.names
            assert file in list(self.names)
            if not Path(path).is_dir():
                assert file.links == os.lstat(path).st_nlink, path
        assert len(set(rows.values())) == len(rows)


PATHS = st.sampled_from(("a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a"))
ACTS = st.sampled_from(("create", "create", "mkdir", "remove", "rename", "link", "exchange"))


@given(st.lists(st.tuples(ACTS, PATHS, PATHS), min_size=3, max_size=40))
def test_names_lead_to_the_files_that_the_kernel_finds(
    acts: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(root)
        for act in acts:
            folder.act(*act)
            folder.compare()


def test_a_file_replaced_many_times_takes_no_longer_each_time() -> None:
    files = Files()
    for number in range(30_000):
        files.at(f"/state.{number}").add_process(number)
        files.renamed(f"/state.{number}", "/state")

    (file,) = files
    assert (file.path, len(file.names), len(file.processes)) == ("/state", 30_000, 30_000)


def test_what_was_only_looked_for_in_a_folder_stays_where_it_was_looked_for() -> None:
    files = Files()
    files.at("/tmp/build/made").exists = True
    files.at("/tmp/build/missed").errors = ("ENOENT",)
    files.renamed("/tmp/build", "/opt/app")

    assert {file.path for file in files} == {"/opt/app", "/opt/app/made", "/tmp/build/missed"}
    assert files.at("/opt/app/made").names == {"/tmp/build/made": None}
