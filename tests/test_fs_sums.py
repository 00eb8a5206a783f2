"""The sums of fs events are what `json.loads` and plain additions would make of them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace import _fs_sums
from scopetrace._fs_sums import FileSums, add_events, add_selected
from support.json_bytes import compact, escaped

SOURCES = ("fs.open", "fs.close", "fs.error", "fs.mkdir", "fs.attr", "fs.delete", "fs.openat")
FLAGS = ("O_RDONLY", "O_RDWR|O_CREAT", "O_CREAT|O_EXCL", "O_TRUNC", "O_TMPFILE", "O_DIRECTORY", "")
SUMS = (
    "opens", "read_bytes", "read_ops", "written_bytes", "written_ops", "io_us", "most_read_bytes",
    "most_written_bytes", "mapped", "changed", "exists", "folder", "errors", "processes",
)  # fmt: skip
SELECT = "SELECT count(add_event(?1, source, process, data)) FROM event"
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


class Plain(FileSums):
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


@pytest.mark.parametrize("encode", [compact, escaped])
@given(events)
def test_events_are_added_up_by_file(encode: Any, events: list[Any]) -> None:
    files: dict[str, FileSums] = {}
    rest: list[Any] = []
    rows = [(source.encode(), process, encode(data)) for source, process, data in events]

    add_events(rows, files, lambda name: files.setdefault(name, FileSums()), rest.append)

    expected: dict[str, Plain] = {}
    for source, process, data in events:
        if source in SOURCES[:5] and data.get("file"):
            expected.setdefault(data["file"], Plain()).add(source, process, data)
    assert {name: sums(file) for name, file in files.items()} == {
        name: sums(file) for name, file in expected.items()
    }
    assert rest == [row for row in rows if row[0].decode() not in SOURCES[:5]]

    selected: dict[str, FileSums] = {}
    others: list[Any] = []
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE event (id INTEGER PRIMARY KEY, source, process, data)")
        insert = "INSERT INTO event VALUES (NULL, CAST(? AS TEXT), ?, CAST(? AS TEXT))"
        db.executemany(insert, rows)
        assert add_selected(
            db,
            _fs_sums.__file__,
            SELECT,
            selected,
            lambda name: selected.setdefault(name, FileSums()),
            others.append,
            lambda: False,
        )
    assert {name: sums(file) for name, file in selected.items()} == {
        name: sums(file) for name, file in files.items()
    }
    assert others == rest


def sums(file: FileSums) -> list[Any]:
    return [getattr(file, name) for name in SUMS]


@given(st.binary(max_size=40) | data.map(compact).map(lambda text: text[:-3]))
def test_what_is_no_json_is_an_error(text: bytes) -> None:
    try:
        json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            add_events([(b"fs.open", 1, b'{"file":"/a",' + text)], {}, FileSums, print)


def test_names_that_change_hold_from_the_next_event_on() -> None:
    first, second = FileSums(), FileSums()
    files = {"/a": first}
    opened = (b"fs.open", 1, b'{"file":"/a","flags":""}')

    add_events(
        [opened, (b"fs.rename", 1, b"{}"), opened],
        files,
        print,
        lambda _: files.update({"/a": second}),
    )

    assert (first.opens, second.opens) == (1, 1)


@given(st.lists(st.integers(1, 40), max_size=300), st.lists(st.integers(1, 40), max_size=300))
def test_each_process_is_known_once_in_the_order_of_its_first_use(
    one: list[int], other: list[int]
) -> None:
    file, former = FileSums(), FileSums()
    for number in one:
        file.add_process(number)
    for number in other:
        former.add_process(number)
    assert file.of_processes({number: number % 3 for number in range(20)}) == tuple(
        dict.fromkeys(number % 3 for number in one if number < 20)
    )
    assert file.processes == list(dict.fromkeys(one))

    file.join_processes(former)
    assert sorted(file.processes) == sorted({*one, *other})
    file.forget_processes(2)
    assert len(file.processes) == min(2, len({*one, *other}))


def test_reading_ends_where_it_is_enough_or_fails() -> None:
    sql = """
    WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < 5000)
    SELECT count(add_event(?1, {source}, 1, '{{"file":"/a' || n || '"}}')) FROM more"""
    files: dict[str, FileSums] = {}

    def make(name: str) -> FileSums:
        return files.setdefault(name, FileSums())

    def fails(row: Any) -> None:
        raise LookupError(row[0])

    with closing(sqlite3.connect(":memory:")) as db:
        reading = (db, _fs_sums.__file__)
        opens = sql.format(source="'fs.open'")
        assert not add_selected(*reading, opens, files, make, print, lambda: len(files) > 2000)
        assert 2000 < len(files) < 5000
        with pytest.raises(LookupError, match=r"fs\.delete"):
            add_selected(*reading, sql.format(source="'fs.delete'"), files, make, fails, bool)
        with pytest.raises(MemoryError):
            add_selected(*reading, sql.format(source="NULL"), files, make, fails, bool)
