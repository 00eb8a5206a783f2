"""The index must be fast and must never be a reason for another answer than the sessions give."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from fcntl import LOCK_EX, flock

import pytest

from scopetrace.db.running import started_ticks
from scopetrace.errors import SessionError
from scopetrace.query import delete_sessions, history, list_sessions, session_index
from support.interpreter import NOBODY, path_to_us, python
from support.session_builder import begin, closed, record

MANY = session_index.FEW + 8
LIST = (
    "import sys; from scopetrace.query import list_sessions\n"
    "print({info.status for info in list_sessions(sys.argv[1])})\n"
)


@pytest.fixture
def settled(monkeypatch):
    """Files that were made just now count as old."""
    monkeypatch.setattr(session_index, "SETTLED_NS", -(10**18))


@pytest.fixture
def opened(monkeypatch):
    """The names of the session files that were read."""
    names = []
    read = history._recorded

    def noting(path):
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(history, "_recorded", noting)
    return names


@pytest.fixture
def home(tmp_path, settled, opened):
    """A home with many sessions and an index of them."""
    record_many(tmp_path)
    list_sessions(tmp_path)
    assert index_of(tmp_path).stat().st_mode & 0o777 == 0o600
    opened.clear()
    return tmp_path


def record_many(home, count=MANY):
    path = record(home, [closed("/a")])
    for number in range(2, count + 1):
        copy = path.with_name(f"{number}-python3.db")
        shutil.copy(path, copy)
        change(copy, f"id = {number}, pid = {number}")
    path.with_name(".last-id").write_text(f"{count}\n")


def change(path, facts):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute(f"UPDATE session SET {facts}")
        db.commit()


def index_of(home):
    return home / "sessions" / session_index.FILE_NAME


def session(home, number):
    return home / "sessions" / f"{number}-python3.db"


def read_each(home):
    """What the sessions themselves say."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "FEW", 10**9)
        return list_sessions(home)


def test_what_is_remembered_is_not_read_again(home, opened):
    found = list_sessions(home)

    assert opened == []
    assert found == read_each(home)
    assert [info.pid for info in found[1:]] == list(range(2, MANY + 1))


def test_few_sessions_need_no_index(tmp_path, settled):
    record_many(tmp_path, 3)
    list_sessions(tmp_path)

    assert not index_of(tmp_path).exists()


def test_the_first_answer_is_that_of_the_sessions(tmp_path, settled):
    record_many(tmp_path)

    assert list_sessions(tmp_path) == read_each(tmp_path)


def rewritten(data, **changes):
    """An index with another version or other rows, and the right check sum."""
    version, rows = json.loads(data.partition(b"\n")[2])
    body = json.dumps([changes.get("version", version), changes.get("rows", rows)]).encode()
    return b"%08x\n%b" % (zlib.crc32(body), body)


def checked(body):
    return b"%08x\n%b" % (zlib.crc32(body), body)


@pytest.mark.parametrize(
    "damaged",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b'"finished"', b'"running_"', 1),
        lambda data: b"\xff" * 5000,
        lambda data: b"[" * 100_000,
        lambda data: checked(b"[" * 100_000),
        lambda data: checked(b"3"),
        lambda data: checked(b"[]"),
        lambda data: checked(b'{"a": 1, "b": 2}'),
        lambda data: rewritten(data, rows=[]),
        lambda data: rewritten(data, rows={"3-python3.db": []}),
        lambda data: rewritten(data.replace(b'"finished"', b'"stopped"'), version=[2, "0.1", []]),
        lambda data: rewritten(data.replace(b'"finished"', b'"stopped"'), version=None),
    ],
)
def test_a_damaged_index_or_one_of_another_version_is_made_anew(home, opened, damaged):
    index_of(home).write_bytes(damaged(index_of(home).read_bytes()))

    assert list_sessions(home) == read_each(home)
    opened.clear()
    list_sessions(home)
    assert opened == []


@pytest.mark.parametrize(
    "replace",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.with_name(".index.new").mkdir(),
        lambda path: os.mkfifo(path.with_name(".index.new")),
        lambda path: path.with_name(".index.new").write_bytes(b"left by a kill" * 10**6),
        lambda path: path.with_name(".index.new").symlink_to("/dev/full"),
    ],
)
def test_whatever_stands_in_its_place_the_answer_is_the_same(home, replace):
    index_of(home).unlink()
    replace(index_of(home))

    assert list_sessions(home) == read_each(home)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_index_that_others_may_write_is_not_trusted(home, mode):
    data = index_of(home).read_bytes().replace(b'"finished"', b'"stopped"')
    index_of(home).write_bytes(rewritten(checked(data.partition(b"\n")[2])))
    assert {info.status for info in list_sessions(home)} == {"stopped"}  # it is the index's word

    index_of(home).chmod(mode)
    assert {info.status for info in list_sessions(home)} == {"finished"}


def test_a_session_that_changed_is_read(home, opened):
    change(session(home, 5), "status = 'incomplete', lost = 4")

    found = list_sessions(home)
    assert opened == ["5-python3.db"]
    assert (found[4].status, found[4].lost) == ("incomplete", 4)


def test_a_session_that_was_replaced_by_one_of_the_same_size_and_time_is_read(home):
    before = session(home, 5).stat()
    shutil.copy(session(home, 6), session(home, 5))
    os.utime(session(home, 5), ns=(before.st_atime_ns, before.st_mtime_ns))

    assert list_sessions(home)[4].pid == 6


def test_deleted_sessions_are_not_listed_and_renamed_ones_have_their_new_place(home):
    session(home, 5).unlink()
    moved = session(home, 7).rename(session(home, 700))

    found = list_sessions(home)
    assert len(found) == MANY - 1
    assert (found[-1].path, found[-1].pid) == (moved, 7)
    assert found == read_each(home)


def test_many_are_deleted_without_being_read(home, opened):
    delete_sessions(list_sessions(home)[1:])

    assert opened == []
    assert len(list_sessions(home)) == 1


def test_what_is_gone_is_forgotten(home):
    size = index_of(home).stat().st_size
    for number in range(100, 200):
        shutil.copy(session(home, 2), session(home, number))
    list_sessions(home)
    for number in range(100, 200):
        session(home, number).unlink()

    list_sessions(home)
    assert index_of(home).stat().st_size < 1.5 * size


def test_a_session_is_read_each_time_while_it_is_recorded(home, opened):
    child = subprocess.Popen(["sleep", "60"])
    writer = begin(home, recorder_pid=child.pid, recorder_started_ticks=started_ticks(child.pid))
    for events in (0, 1, 2):
        assert list_sessions(home)[-1].events == events
        assert list_sessions(home)[-1].status == "running"
        writer.add_events([closed("/a")])
        writer.commit()

    child.kill()
    child.wait()
    assert (list_sessions(home)[-1].status, list_sessions(home)[-1].events) == ("interrupted", 3)
    writer.discard()


def test_of_a_killed_recorder_the_log_is_part_of_what_is_remembered(home, opened):
    child = subprocess.Popen(["sleep", "60"])
    ticks = started_ticks(child.pid)
    child.kill()
    child.wait()
    writers = [
        begin(home, recorder_pid=child.pid, recorder_started_ticks=ticks)
        for _ in range(session_index.FEW)
    ]
    list_sessions(home)
    opened.clear()
    assert {info.status for info in list_sessions(home)[MANY:]} == {"interrupted"}
    assert opened == []

    writers[0].add_events([closed("/a")])
    writers[0].commit()
    assert list_sessions(home)[MANY].events == 1
    for writer in writers:
        writer.discard()


def test_a_session_with_a_rollback_journal_is_read(home, opened):
    session(home, 5).with_name("5-python3.db-journal").write_bytes(b"")
    list_sessions(home)

    assert opened == ["5-python3.db"]


def test_a_link_is_read(home, opened):
    session(home, 5).rename(home / "elsewhere.db")
    session(home, 5).symlink_to(home / "elsewhere.db")
    list_sessions(home)
    list_sessions(home)

    assert opened == ["5-python3.db"] * 2


def test_what_changed_a_moment_ago_is_not_remembered(tmp_path, opened):
    record_many(tmp_path)
    list_sessions(tmp_path)
    opened.clear()
    list_sessions(tmp_path)

    assert len(opened) == MANY


def test_command_lines_that_are_too_long_are_read_each_time_and_whole(home, opened):
    long = json.dumps(["python3", "x" * session_index.MOST_CHARACTERS])
    for number in range(1, MANY + 1):
        change(session(home, number), f"args = '{long}'")
    for _ in range(2):
        assert {info.args[1] for info in list_sessions(home)} == {
            "x" * session_index.MOST_CHARACTERS
        }

    assert len(opened) == 2 * MANY


def test_files_that_cannot_be_read_are_tried_each_time(home, opened):
    for number in range(1, MANY + 1):
        session(home, number).write_bytes(b"no session")
    for _ in range(2):
        assert {info.status for info in list_sessions(home)} == {"unreadable"}

    assert len(opened) == 2 * MANY


def test_sessions_of_several_folders_are_each_looked_for_in_their_own(home, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    record_many(other, 3)
    running = begin(other)
    infos = [*list_sessions(home), *list_sessions(other)]

    with pytest.raises(SessionError, match=f"session {running.id} is still being recorded"):
        delete_sessions(infos)
    running.discard()


@pytest.mark.parametrize("what", ["index", "folder", "sessions"])
def test_what_belongs_to_another_user_is_not_relied_on(home, opened, what):
    """Each by itself; only root can give something away."""
    if os.geteuid() != 0:
        return
    data = index_of(home).read_bytes().replace(b'"finished"', b'"stopped"')
    index_of(home).write_bytes(checked(data.partition(b"\n")[2]))
    given = {
        "index": [index_of(home)],
        "folder": [home / "sessions"],
        "sessions": [session(home, number) for number in range(1, MANY + 1)],
    }
    for path in given[what]:
        os.chown(path, NOBODY, NOBODY)
    for _ in range(2):
        assert {info.status for info in list_sessions(home)} == {"finished"}
    if what != "index":  # that one is made anew, as ours
        assert len(opened) == 2 * MANY


def test_a_name_that_is_no_utf_8_is_remembered_as_it_is(home, opened):
    change(session(home, 5), "args = json_array('a', char(0x1b)), cwd = CAST(x'2fff' AS TEXT)")
    for number in range(100, 100 + session_index.FEW):
        shutil.copy(session(home, 5), session(home, number))
    list_sessions(home)
    opened.clear()
    [found] = {(info.args, info.cwd) for info in list_sessions(home)[MANY:]}

    assert opened == []
    assert found == (("a", "\x1b"), os.fsdecode(b"/\xff"))


def test_while_another_process_writes_the_index_it_is_left_to_that(home, opened):
    index_of(home).unlink()
    with index_of(home).with_name(".index.new").open("w") as other:
        flock(other, LOCK_EX)
        assert list_sessions(home) == read_each(home)
        assert not index_of(home).exists()

    list_sessions(home)
    assert index_of(home).exists()


def test_what_cannot_be_written_whole_is_not_written(home):
    """As on a full disk."""
    index_of(home).unlink()
    limited = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    patched = "from scopetrace.query import session_index; session_index.SETTLED_NS = -(10**18)\n"
    subprocess.run(
        [sys.executable, "-P", "-c", limited + patched + LIST, str(home)],
        env={**os.environ, **path_to_us()},
        check=True,
    )

    assert [path.name for path in index_of(home).parent.glob(".index*")] == []


def test_another_users_index_is_not_read_and_none_is_made_beside_his_sessions(home, commons):
    """Root looks at a user's sessions, or a user at those of another: they are read as they are."""
    if os.geteuid() != 0:
        return  # only root can be two users
    data = index_of(home).read_bytes().replace(b'"finished"', b'"stopped"')
    index_of(home).write_bytes(checked(data.partition(b"\n")[2]))
    shared = commons / "another"
    shutil.copytree(home, shared)
    for path in (shared, *shared.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    said = subprocess.run(
        [python(), "-P", "-c", LIST, str(shared)],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={**os.environ, **path_to_us()},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout == "{'finished'}\n"

    shutil.rmtree(shared)
    index_of(home).unlink()
    for path in (home / "sessions", *(home / "sessions").iterdir()):
        os.chown(path, NOBODY, NOBODY)
    assert list_sessions(home) == read_each(home)
    assert not index_of(home).exists()
