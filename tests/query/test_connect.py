from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from scopetrace.db.schema import MIGRATIONS
from scopetrace.errors import SessionError
from scopetrace.query import open_session
from scopetrace.query.connect import connect
from scopetrace.store.sessions import SessionStore
from support.interpreter import NOBODY, path_to_us, python
from support.session_builder import begin, closed, record

READ = (
    "import sys; from scopetrace.query import open_session\n"
    "from scopetrace.errors import SessionError\n"
    "try:\n"
    "    with open_session(sys.argv[1]) as session:\n"
    "        print(*[record.data['file'] for record in session.events()])\n"
    "except SessionError as error: print(error)\n"
)


def read_as_nobody(path):
    """Read a session as one who can write neither it nor its folder; root becomes nobody."""
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    become = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    done = subprocess.run(
        [python(), "-c", READ, str(path)],
        capture_output=True,
        text=True,
        env={**os.environ, **path_to_us()},
        **become,
    )
    path.parent.chmod(0o755)
    assert done.stderr == ""
    return done.stdout.strip()


def killed(home):
    """Return the files of a session whose recorder was killed, its log included."""
    writer = begin(home)
    writer.add_events([closed("/a"), closed("/b")])
    writer.commit()
    copies = {}
    for suffix in ("", "-wal", "-shm"):
        copies[suffix] = Path(f"{writer.path}{suffix}").read_bytes()
    writer.discard()
    return copies


def files(path):
    with open_session(path) as session:
        return [record.data["file"] for record in session.events()]


def test_a_session_can_be_read_while_it_is_written(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/a")])
    writer.commit()

    assert files(writer.path) == ["/a"]
    writer.discard()


def test_a_copy_elsewhere_is_the_same_session(tmp_path):
    copy = tmp_path / "ö ?#%41.db"
    shutil.copy(record(tmp_path, [closed("/a")]), copy)

    assert files(copy) == ["/a"]


def test_a_copy_of_a_running_session_without_its_log_says_that_it_lacks_it(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/a")])
    writer.commit()
    copy = tmp_path / "copy.db"
    shutil.copy(writer.path, copy)
    writer.discard()

    with pytest.raises(SessionError, match="copied while it was recorded, without copy"):
        connect(copy)


def test_a_session_that_has_just_begun_and_has_no_log_yet_is_one(tmp_path):
    writer = SessionStore(tmp_path).create("ls", ("ls",), started_ns=time.time_ns())
    begun = writer.path.with_name("as-it-began.db")
    shutil.copy(writer.path, begun)

    assert files(begun) == []
    writer.discard()


def test_reading_needs_no_right_to_write(tmp_path, commons):
    folder = commons / "closed"
    folder.mkdir()
    shutil.copy(record(tmp_path, [closed("/a")]), folder / "x.db")

    assert read_as_nobody(folder / "x.db") == "/a"


def test_a_file_left_in_wal_mode_is_read_on_media_that_cannot_be_written(tmp_path, commons):
    path = record(tmp_path, [closed("/a")])
    folder = commons / "wal"
    folder.mkdir()
    shutil.copy(path, folder / "x.db")
    with closing(sqlite3.connect(folder / "x.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")

    assert read_as_nobody(folder / "x.db") == "/a"


def test_what_a_killed_recorder_left_is_read_on_media_that_cannot_be_written(tmp_path, commons):
    folder = commons / "killed"
    folder.mkdir()
    for suffix, content in killed(tmp_path).items():
        (folder / f"x.db{suffix}").write_bytes(content)

    assert read_as_nobody(folder / "x.db") == "/a /b"


def test_a_log_that_cannot_be_read_is_not_left_out_silently(tmp_path, commons):
    folder = commons / "unread"
    folder.mkdir()
    for suffix, content in killed(tmp_path).items():
        if suffix != "-shm":
            (folder / f"x.db{suffix}").write_bytes(content)

    assert "part of it is in x.db-wal" in read_as_nobody(folder / "x.db")


def test_what_a_killed_recorder_left_is_read_in_place_and_nothing_is_built(tmp_path):
    for suffix, content in killed(tmp_path).items():
        if suffix != "-shm":
            (tmp_path / f"x.db{suffix}").write_bytes(content)

    assert files(tmp_path / "x.db") == ["/a", "/b"]
    with closing(connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT count(*) FROM sqlite_schema WHERE type='index'").fetchone() == (
            0,
        )


def test_reading_cannot_write(tmp_path):
    db = connect(record(tmp_path, [closed("/a")]))

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM event")
    db.close()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no session file at {}"),
        (b"", "cannot read {}: the file is empty"),
        (b"\x89PNG" * 1000, "cannot read {}: it is not a scopetrace session"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "cannot read {}: it is not a scopetrace session"),
    ],
)
def test_what_is_no_session_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SessionError) as caught:
        connect(path)
    assert str(caught.value) == sentence.format(path)


def test_a_folder_is_one_sentence(tmp_path):
    with pytest.raises(SessionError, match="Is a directory"):
        connect(tmp_path)


def test_a_fifo_is_one_sentence_instead_of_waiting(tmp_path):
    os.mkfifo(tmp_path / "x.db")

    with pytest.raises(SessionError, match=r"x\.db: it is no regular file"):
        connect(tmp_path / "x.db")


def test_another_programs_database_is_one_sentence(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("CREATE TABLE bookmarks (url)")

    with pytest.raises(SessionError, match=r"x\.db: it is not a scopetrace session"):
        connect(tmp_path / "x.db")


def test_a_newer_file_is_one_sentence(tmp_path):
    path = record(tmp_path, [])
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")

    with pytest.raises(SessionError, match=r"1-python3\.db: a newer scopetrace wrote it"):
        connect(path)
