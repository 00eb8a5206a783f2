from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scopetrace.store.writer
from scopetrace.db.schema import has_indexes
from scopetrace.errors import SessionError
from scopetrace.model.metric import Sample
from scopetrace.model.payload import Payload
from scopetrace.model.process import ProcessEnd
from scopetrace.query import list_sessions, open_session
from support.interpreter import PACKAGE
from support.session_builder import STARTED_NS, begin, closed, event, image, record

TESTS = Path(__file__).parents[1]
WRITE_FOREVER = """
import sys
from pathlib import Path
from support.session_builder import begin, closed
writer = begin(Path(sys.argv[1]))
batch = 0
while True:
    writer.add_events([closed(f"/batch/{batch}/{n}") for n in range(100)])
    writer.commit()
    batch += 1
    print(batch, flush=True)
"""


def limit_pages(writer, more):
    """Let the file grow by `more` pages only: SQLite then says what it says of a full disk."""
    pages = writer._db.execute("PRAGMA page_count").fetchone()[0]
    writer._db.execute(f"PRAGMA max_page_count = {pages + more}")


def files(home):
    with open_session(home=home) as session:
        return [record.data.get("file") for record in session.events()]


def test_events_come_back_as_they_were_written(tmp_path):
    written = closed("/etc/hosts", channel=STARTED_NS)
    record(tmp_path, [written])

    with open_session(home=tmp_path) as session:
        (back,) = session.events()
    assert back.id == 1
    assert back.data == written.data
    assert list(back.data) == list(written.data)
    for name in ("time_ns", "tid", "sourcetype", "source", "channel"):
        assert getattr(back, name) == getattr(written, name)
    told = (back.host, back.proc, back.cmd, back.pid, back.uid, back.gid, back.username)
    assert told == ("box", "python3", "python3 log.py", 70, 1000, 1001, "ann")
    assert (back.groupname, back.args) == ("staff", ("python3", "log.py"))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=30), min_size=1, max_size=5))
def test_any_bytes_survive_in_names_and_messages(tmp_path_factory, names):
    home = tmp_path_factory.mktemp("home")
    texts = [os.fsdecode(name) for name in names]
    events = [event("/" + text, message=text, args=[text]) for text in texts]
    record(home, events, [image(2, proc=texts[0], args=tuple(texts), cwd=texts[-1])])

    with open_session(home=home) as session:
        back = [(r.source, r.data["message"], r.data["args"]) for r in session.events()]
        process = list(session.processes())[1]
    assert back == [("/" + text, text, [text]) for text in texts]
    assert [os.fsencode(message) for _, message, _ in back] == names
    assert (process.proc, process.args, process.cwd) == (texts[0], tuple(texts), texts[-1])


def test_processes_and_their_ends_come_back(tmp_path):
    writer = begin(tmp_path)
    second = image(2, pid=71, parent=1)
    writer.add_process(second)
    ends = [
        ProcessEnd(1, STARTED_NS + 5, None, 9, False),
        ProcessEnd(2, STARTED_NS + 6, None, None, True),
    ]
    for end in ends:
        writer.end_process(end)
    writer.finish()

    with open_session(home=tmp_path) as session:
        assert list(session.processes()) == [image(), second]
        assert list(session.process_ends()) == ends


def test_nothing_is_seen_before_it_is_committed(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/a")])
    assert files(tmp_path) == []

    writer.commit()
    assert files(tmp_path) == ["/a"]
    assert list_sessions(tmp_path)[0].events == 1
    writer.discard()


def test_the_last_text_of_the_console_is_known_while_it_is_recorded(tmp_path):
    writer = begin(tmp_path)
    assert writer.last_text(("stdout", "stderr")) == ""

    writer.add_events([event("stdout", message="one\n"), event("stderr", message="two")])
    writer.add_events([event("fs.open", file=f"/{n}") for n in range(100)])
    writer.commit()
    assert writer.last_text(("stdout", "stderr")) == "two"
    assert writer.last_text(("stdout",)) == "one\n"

    writer.add_events([event("fs.open", file=f"/{n}") for n in range(500)])
    writer.commit()
    assert writer.last_text(("stdout", "stderr")) == "", "that is too long ago to be looked for"
    writer.discard()


def test_facts_are_updated_with_the_next_commit(tmp_path):
    writer = begin(tmp_path)
    writer.update(pid=99, exit_code=3, lost=4)
    writer.commit()

    info = list_sessions(tmp_path)[0]
    assert (info.pid, info.exit_code, info.lost) == (99, 3, 4)
    writer.discard()


def test_how_calls_were_made_is_as_it_was_last_counted(tmp_path):
    writer = begin(tmp_path)
    writer.count_ways({"gated": 5, "fd": 1})
    writer.commit()
    writer.count_ways({"gated": 70, "fd": 1, "site": 0, "early": 12})
    writer.finish()

    with open_session(writer.path) as session:
        assert session.summary().gate == {"gated": 70, "early": 12, "fd": 1}


@pytest.mark.parametrize("name", ["colour", "events", "id", "path"])
def test_a_fact_that_is_none_or_not_ours_to_set_is_a_mistake(tmp_path, name):
    writer = begin(tmp_path)

    with pytest.raises(TypeError, match=name):
        writer.update(**{name: 1})
    writer.discard()


def test_a_finished_session_is_one_file_with_indexes(tmp_path):
    path = record(tmp_path, [closed("/a")])

    assert sorted(p.name for p in path.parent.iterdir()) == [".last-id", "1-python3.db"]
    assert path.stat().st_mode & 0o777 == 0o600
    info = list_sessions(tmp_path)[0]
    assert (info.status, info.exit_code, info.events) == ("finished", 0, 1)
    assert info.ended_ns > STARTED_NS
    with closing(sqlite3.connect(path)) as db:
        assert has_indexes(db)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_no_index_slows_the_recording(tmp_path):
    writer = begin(tmp_path)

    assert not has_indexes(writer._db)
    writer.discard()


def test_a_reader_that_looks_on_does_not_stop_the_end(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/a"), closed("/b")])
    writer.commit()
    with open_session(home=tmp_path) as session:
        reading = session.events()
        assert next(reading).data["file"] == "/a"
        writer.finish()

        assert session.info.status == "finished"
        assert [r.data["file"] for r in reading] == ["/b"]
    assert files(tmp_path) == ["/a", "/b"]


def test_a_full_disk_costs_a_batch_and_not_the_session(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/before")])
    writer.commit()
    limit_pages(writer, 2)
    with pytest.raises(SessionError, match=r"^cannot write .*1-python3.db: the disk is full$"):
        for _ in range(10):
            writer.add_events([closed(f"/lost/{n}") for n in range(100)])
        writer.commit()
    lost = writer.lost

    assert lost % 100 == 0 < lost <= 1000
    writer._db.execute("PRAGMA max_page_count = 1000000")
    writer.add_events([closed("/after")])
    writer.finish()
    assert files(tmp_path) == ["/before", "/after"]
    info = list_sessions(tmp_path)[0]
    assert (info.status, info.lost, info.events) == ("incomplete", lost, 2)
    with closing(sqlite3.connect(writer.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_process_of_a_batch_that_failed_is_written_with_the_next(tmp_path):
    writer = begin(tmp_path)
    limit_pages(writer, 0)
    writer.add_process(image(2, proc="cc1", cmd="x" * 100_000))
    with pytest.raises(SessionError, match="the disk is full"):
        writer.commit()

    assert writer.lost == 0
    writer._db.execute("PRAGMA max_page_count = 1000000")
    writer.add_events([event("fs.open", process=2, file="/a")])
    writer.finish()
    with open_session(home=tmp_path) as session:
        assert [r.proc for r in session.events()] == ["cc1"]


def test_a_last_batch_that_cannot_be_written_does_not_take_the_status_with_it(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/kept")])
    writer.commit()
    limit_pages(writer, 2)
    writer.add_events([closed("/lost")])
    writer.add_process(image(2, cmd="x" * 100_000))
    with pytest.raises(SessionError, match="the disk is full"):
        writer.finish()

    assert not [p for p in writer.path.parent.iterdir() if p.name.endswith(("-wal", "-shm"))]


def test_what_others_lost_is_added_to_what_the_writer_lost(tmp_path):
    writer = begin(tmp_path)
    limit_pages(writer, 0)
    with pytest.raises(SessionError):
        writer.add_events([closed(f"/{n}" * 20) for n in range(1000)])
    writer._db.execute("PRAGMA max_page_count = 1000000")
    writer.finish(lost=5)

    assert list_sessions(tmp_path)[0].lost == 1005


def test_a_lock_of_another_program_is_one_sentence(tmp_path, monkeypatch):
    writer = begin(tmp_path)
    writer._db.execute("PRAGMA busy_timeout = 1")
    with closing(sqlite3.connect(writer.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SessionError, match="another program holds it locked"):
            writer.add_events([closed("/a")])
        other.execute("ROLLBACK")

    writer.add_events([closed("/b")])
    writer.finish()
    assert files(tmp_path) == ["/b"]


@pytest.mark.parametrize("size", [100, 10_000])
def test_a_file_system_that_is_full_is_reported_and_survived(tmp_path, size):
    """A real one: RLIMIT_FSIZE makes each write beyond it fail, as a full disk does."""
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from support.session_builder import begin, closed\n"
        "from scopetrace.errors import SessionError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "writer, size = begin(Path(sys.argv[1])), int(sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))\n"
        "for batch in range(10_000 // size):\n"
        "    try:\n"
        "        writer.add_events([closed('/file')] * size); writer.commit()\n"
        "    except SessionError as error:\n"
        "        said = str(error)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "writer.finish()\n"
        "print(writer.lost, said)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), str(size)],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
    )
    lost, said = done.stdout.split(" ", 1)
    info = list_sessions(tmp_path)[0]

    assert info.events + int(lost) == 10_000
    assert 1_000 < info.events == len(files(tmp_path))
    assert (info.status, info.lost) == ("incomplete", int(lost))
    assert said.startswith("cannot write ")


def samples(count, name="fs.open", **tags):
    return [Sample(STARTED_NS, 1, name, "counter", "operation", 1, tags) for _ in range(count)]


def test_metrics_and_payloads_are_no_events(tmp_path):
    writer = begin(tmp_path)
    writer.add_metrics(iter(samples(3)))
    writer.add_payloads(iter([Payload(STARTED_NS, 1, 7, True, b"x", 0)]))
    writer.add_metrics([])
    writer.commit()
    writer.add_events([closed("/a")])
    writer.finish()

    info = list_sessions(tmp_path)[0]
    assert (info.events, info.lost, info.status) == (1, 0, "finished")


def test_payloads_come_back_byte_by_byte(tmp_path):
    writer = begin(tmp_path)
    every_byte = bytes(range(256))
    writer.add_payloads(
        [Payload(1, 1, 7, True, every_byte, 0), Payload(2, 1, 7, False, b"", 1_000_000)]
    )
    writer.finish()

    with closing(sqlite3.connect(writer.path)) as db:
        assert db.execute("SELECT * FROM payload").fetchall() == [
            (1, 1, 1, 7, "out", every_byte, 0),
            (2, 2, 1, 7, "in", b"", 1_000_000),
        ]


@pytest.mark.parametrize("text", ["/caf\xe9", "/caf\udce9", "\ud83d", 'a"\\\n\0b', ""])
def test_names_and_tags_of_metrics_come_back_whatever_their_bytes(tmp_path, text):
    writer = begin(tmp_path)
    writer.add_metrics(samples(1, name=f"n{text}", file=text))
    writer.finish()

    with open_session(home=tmp_path) as session:
        (back,) = session.metrics()
    assert (back.name, back.tags) == (f"n{text}", {"file": text})


def test_metrics_and_payloads_that_cannot_be_written_are_counted(tmp_path):
    writer = begin(tmp_path)
    limit_pages(writer, 0)
    with pytest.raises(SessionError, match="the disk is full"):
        writer.add_metrics(samples(2000, file="/x" * 50))
    with pytest.raises(SessionError, match="the disk is full"):
        writer.add_payloads([Payload(1, 1, 7, True, b"x" * 100_000, 0)])
    writer._db.execute("PRAGMA max_page_count = 1000000")
    writer.add_metrics(samples(1))
    writer.finish()

    info = list_sessions(tmp_path)[0]
    assert (info.status, info.lost) == ("incomplete", 2001)
    with open_session(home=tmp_path) as session:
        assert len(list(session.metrics())) == 1


def environment():
    return {**os.environ, "PYTHONPATH": f"{TESTS}:{PACKAGE.parent}"}


def test_sigkill_at_any_moment_costs_at_most_the_last_batch(tmp_path):
    chance = random.Random(7)
    for attempt in range(10):
        home = tmp_path / str(attempt)
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE_FOREVER, str(home)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        child.stdout.readline()
        time.sleep(chance.random() / 4)
        child.kill()
        batches = [1, *map(int, child.communicate()[0].split("\n")[:-1])]

        check_killed(home, batches[-1])


def check_killed(home, committed):
    info = list_sessions(home)[0]
    assert info.status == "interrupted"
    assert info.events in (committed * 100, (committed + 1) * 100)
    assert files(home) == [f"/batch/{n // 100}/{n % 100}" for n in range(info.events)]
    with closing(sqlite3.connect(info.path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def vanish(path):
    """Have a session file removed while it is written, with what is beside it."""
    for beside in path.parent.glob(f"{path.name}*"):
        beside.unlink()


def test_a_file_that_is_removed_is_begun_anew_and_what_follows_is_in_it(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/lost/1"), closed("/lost/2")])
    writer.commit()
    vanish(writer.path)
    second = image(2, pid=71, parent=1, proc="caf\udcff")

    writer.add_process(second)
    writer.add_events([closed("/kept/1"), closed("/kept/2", process=2)])
    writer.add_metrics([Sample(STARTED_NS, 1, "fs.open", "counter", "operation", 2, {})])
    writer.add_payloads([Payload(STARTED_NS, 1, 7, True, b"\xff\0bytes", 0)])
    writer.commit()

    assert writer.setback.endswith("was removed or cut while it was written, and was begun anew")
    assert files(tmp_path) == ["/kept/1", "/kept/2"]
    writer.add_events([closed("/kept/3", process=2)])
    writer.end_process(ProcessEnd(2, STARTED_NS + 5, 0, None, False))
    writer.finish()
    with open_session(home=tmp_path) as session:
        assert session.info.id == writer.id
        assert (session.info.status, session.info.lost, session.info.events) == ("incomplete", 2, 3)
        assert [(e.data["file"], e.proc) for e in session.events()] == [
            ("/kept/1", "python3"),
            ("/kept/2", "caf\udcff"),
            ("/kept/3", "caf\udcff"),
        ]
        assert list(session.processes()) == [image(), second]
        assert [metric.value for metric in session.metrics()] == [2]
        assert [payload.data for payload in session.payload(7)] == [b"\xff\0bytes"]
    assert [path.name for path in writer.path.parent.iterdir() if path.name[0] != "."] == [
        writer.path.name
    ]


@pytest.mark.parametrize("left", [0, 10, 32, 9000])
def test_a_log_that_was_cut_is_begun_anew(tmp_path, left):
    writer = begin(tmp_path)
    writer.add_events([closed(f"/lost/{number}") for number in range(300)])
    writer.commit()
    os.truncate(f"{writer.path}-wal", left)

    writer.add_events([closed("/kept")])
    writer.commit()

    assert writer.setback.endswith("was removed or cut while it was written, and was begun anew")
    assert files(tmp_path) == ["/kept"]
    writer.add_events([closed("/kept too")])
    writer.finish()
    assert files(tmp_path) == ["/kept", "/kept too"]
    with open_session(home=tmp_path) as session:
        assert (session.info.status, session.info.lost) == ("incomplete", 300)


@pytest.mark.parametrize("how", ["TRUNCATE", "RESTART"])
def test_a_log_that_another_program_copied_into_the_file_is_not_cut(tmp_path, how):
    writer = begin(tmp_path)
    writer.add_events([closed("/1")])
    writer.commit()
    with closing(sqlite3.connect(writer.path)) as other:
        other.execute(f"PRAGMA wal_checkpoint({how})")

    for number in range(2, 4):
        writer.add_events([closed(f"/{number}/{'x' * 9000}")] * number)
        writer.commit()

    assert writer.setback == ""
    assert len(files(tmp_path)) == 6
    writer.finish()


def test_a_log_that_stayed_when_its_file_was_removed_is_not_taken_for_the_new_ones(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed(f"/lost/{number}") for number in range(100)])
    writer.commit()
    writer.path.unlink()

    writer.add_events([closed("/kept")])
    writer.commit()
    writer.add_events([closed("/kept too")])
    writer.finish()

    assert files(tmp_path) == ["/kept", "/kept too"]


def test_a_session_that_takes_the_name_of_one_that_ends_keeps_its_log(tmp_path, monkeypatch):
    monkeypatch.setattr("scopetrace.store.writer._BUSY_TIMEOUT_S", 0.01)
    ending = begin(tmp_path)
    ending.add_events([closed("/old")])
    ending.commit()
    begun = []

    def be_replaced(_seconds):
        reader.close()
        shutil.rmtree(tmp_path / "sessions")
        begun.append(begin(tmp_path))
        begun[0].add_events([closed(f"/new/{number}") for number in range(2000)])
        begun[0].commit()

    with closing(sqlite3.connect(ending.path)) as reader, monkeypatch.context() as patch:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        patch.setattr("scopetrace.store.writer.time.sleep", be_replaced)  # after the first try
        ending.finish()
    (writer,) = begun
    assert writer.path == ending.path
    assert Path(f"{writer.path}-wal").exists()
    assert len(files(tmp_path)) == 2000
    writer.add_events([closed("/new/last")])
    writer.finish()

    assert files(tmp_path) == [*(f"/new/{number}" for number in range(2000)), "/new/last"]


def test_a_removed_folder_is_made_again(tmp_path):
    writer = begin(tmp_path)
    shutil.rmtree(tmp_path / "sessions")

    writer.add_events([closed("/kept")])
    writer.commit()
    writer.finish()

    assert files(tmp_path) == ["/kept"]
    assert (tmp_path / "sessions").stat().st_mode & 0o777 == 0o700


def test_a_renamed_file_holds_what_it_held_and_a_new_one_the_rest(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/before")])
    writer.commit()
    elsewhere = writer.path.rename(tmp_path / "elsewhere.db")

    writer.add_events([closed("/after")])
    writer.finish()

    assert files(tmp_path) == ["/after"]
    with open_session(elsewhere) as session:
        assert [record.data["file"] for record in session.events()] == ["/before", "/after"]


def test_a_file_that_was_emptied_is_begun_anew(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed("/before")])
    writer.commit()
    os.truncate(writer.path, 0)

    writer.add_events([closed("/after")])
    writer.commit()
    writer.add_events([closed("/later")])
    writer.finish()

    assert files(tmp_path)[-1] == "/later"
    assert list_sessions(tmp_path)[0].status == "incomplete"


def test_a_file_of_another_in_its_place_is_not_touched(tmp_path):
    writer = begin(tmp_path)
    vanish(writer.path)
    writer.path.write_text("of another")

    writer.add_events([closed("/homeless")])
    with pytest.raises(SessionError, match="another file has taken its place"):
        writer.commit()
    with suppress(SessionError):
        writer.finish()

    assert writer.path.read_text() == "of another"


def test_a_name_that_becomes_free_again_gets_all_that_waited(tmp_path, monkeypatch):
    monkeypatch.setattr(scopetrace.store.writer, "_NEW_FILE_RETRY_S", 0)
    writer = begin(tmp_path)
    vanish(writer.path)
    writer.path.mkdir()
    for name in ("/a", "/b"):
        writer.add_events([closed(name)])
        with pytest.raises(SessionError, match="another file has taken its place"):
            writer.commit()
    writer.path.rmdir()

    writer.add_events([closed("/c")])
    writer.finish()

    assert files(tmp_path) == ["/a", "/b", "/c"]
    assert list_sessions(tmp_path)[0].lost == 0


def test_a_new_file_that_cannot_be_opened_is_made_once_more_with_all_that_waited(
    tmp_path, monkeypatch
):
    def locked(path):
        raise SessionError("locked")

    writer = begin(tmp_path)
    vanish(writer.path)
    writer.add_events([closed("/a")])
    with monkeypatch.context() as patch, pytest.raises(SessionError, match="locked"):
        patch.setattr(scopetrace.store.writer, "_connect", locked)
        writer.commit()
    writer.add_events([closed("/b")])
    writer.finish()

    assert files(tmp_path) == ["/a", "/b"]
    assert list_sessions(tmp_path)[0].lost == 0


def test_a_file_that_is_removed_twice_is_begun_anew_twice(tmp_path):
    writer = begin(tmp_path)
    for name in ("/a", "/b"):
        vanish(writer.path)
        writer.add_events([closed(name)])
        writer.commit()
        assert files(tmp_path) == [name]
    writer.finish()


def test_a_log_that_could_only_be_read_while_root_made_it_is_opened_again(tmp_path, monkeypatch):
    connect, opened = sqlite3.connect, []

    def connect_for_reading_first(path, **options):
        db = connect(path, **options)
        if not Path(path).name.startswith("."):
            opened.append(db)
            db.execute(f"PRAGMA query_only = {len(opened) == 1}")
        return db

    monkeypatch.setattr(sqlite3, "connect", connect_for_reading_first)
    writer = begin(tmp_path)
    monkeypatch.undo()
    writer.add_events([closed("/written")])
    writer.finish()

    assert len(opened) == 2
    assert files(tmp_path) == ["/written"]


def test_a_session_removed_before_its_end_still_says_how_it_ended(tmp_path):
    writer = begin(tmp_path)
    vanish(writer.path)

    writer.finish(exit_code=3)

    (info,) = list_sessions(tmp_path)
    assert (info.status, info.exit_code) == ("finished", 3)
    with closing(sqlite3.connect(info.path)) as db:
        assert has_indexes(db)


def test_a_reserve_is_not_written_through_a_link(tmp_path):
    (tmp_path / "sessions").mkdir(mode=0o700)
    target = tmp_path / "precious"
    target.write_text("untouched")
    (tmp_path / "sessions" / "1-python3.db-reserve").symlink_to(target)

    begin(tmp_path).finish()

    assert target.read_text() == "untouched"


def test_a_session_without_room_for_indexes_is_one_plain_file_all_the_same(tmp_path):
    writer = begin(tmp_path)
    writer.add_events([closed(f"/{number}") for number in range(100)])
    writer.commit()
    limit_pages(writer, 0)

    writer.finish()

    (info,) = list_sessions(tmp_path)
    assert (info.status, info.events) == ("finished", 100)
    assert [path.name for path in info.path.parent.iterdir() if path.name[0] != "."] == [
        info.path.name
    ]
