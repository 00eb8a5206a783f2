from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from scopetrace.db import schema
from scopetrace.errors import SessionError
from scopetrace.model.fields import SOURCES, column
from scopetrace.model.metric import Sample
from support.session_builder import STARTED_NS, begin, closed, event, record


@pytest.fixture
def db():
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def version(db):
    return db.execute("PRAGMA user_version").fetchone()[0]


def test_an_empty_file_becomes_a_session(db):
    schema.migrate(db)
    schema.check_readable(db)

    assert version(db) == len(schema.MIGRATIONS)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_tables_are_strict(db):
    schema.migrate(db)

    with pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO event VALUES (1, 'noon', 1, 1, 'fs', 'fs.open', 0, '{}')")


def test_migrating_again_changes_nothing(db):
    schema.migrate(db)
    before = list(db.iterdump())
    schema.migrate(db)

    assert list(db.iterdump()) == before


def test_an_older_file_takes_only_the_steps_it_lacks(db, monkeypatch):
    schema.migrate(db)

    def step(db):
        db.execute("ALTER TABLE event ADD COLUMN extra INTEGER")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    schema.migrate(db)

    assert version(db) == len(schema.MIGRATIONS)
    assert db.execute("SELECT extra FROM event").fetchall() == []
    assert db.execute("SELECT file FROM fs_open").fetchall() == []


def test_a_step_that_fails_leaves_the_file_as_it_was(db, monkeypatch):
    schema.migrate(db)
    before = list(db.iterdump())

    def step(db):
        db.execute("ALTER TABLE event ADD COLUMN extra INTEGER")
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    with pytest.raises(KeyboardInterrupt):
        schema.migrate(db)

    assert list(db.iterdump()) == before


@pytest.mark.parametrize("use", [schema.migrate, schema.check_readable])
def test_a_file_of_a_newer_version_is_refused(db, use):
    schema.migrate(db)
    db.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")

    with pytest.raises(SessionError, match="a newer scopetrace wrote it"):
        use(db)


@pytest.mark.parametrize("use", [schema.migrate, schema.check_readable])
def test_a_database_of_another_program_is_refused(db, use):
    db.execute("CREATE TABLE bookmarks (url)")

    with pytest.raises(SessionError, match="it is not a scopetrace session"):
        use(db)


def test_an_sqlite_that_is_too_old_is_refused(monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(SessionError, match=r"SQLite 3\.37 or later is needed"):
        schema.check_sqlite()


def test_indexes_are_made_once_they_are_asked_for(db):
    schema.migrate(db)
    assert not schema.has_indexes(db)

    schema.create_indexes(db)
    assert schema.has_indexes(db)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.view)
def test_each_source_has_a_view_with_its_fields(db, source):
    schema.migrate(db)
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({source.view})")]

    assert columns[:5] == ["id", "time", "time_ns", "proc", "pid"]
    assert {column(field.name) for field in source.fields} < set(columns)


def test_views_are_pleasant_to_read(tmp_path):
    path = record(
        tmp_path,
        [
            closed("/etc/passwd"),
            event("stderr", at=1.25, message="oh\n"),
            event("/a.log", message="x"),
            event("proc.start", op="execve", exe="/bin/ls", args=["ls", "-l"]),
        ],
    )
    db = sqlite3.connect(path)

    assert db.execute("SELECT time, proc, pid, file, file_read_bytes FROM fs_close").fetchall() == [
        ("2026-07-12T02:11:15.000000Z", "python3", 70, "/etc/passwd", 5155)
    ]
    whose = "SELECT source, uid, gid, username, groupname, tid FROM events WHERE id = 3"
    assert db.execute(whose).fetchall() == [("/a.log", 1000, 1001, "ann", "staff", 71)]
    assert db.execute("SELECT id, time, source, message FROM console").fetchall() == [
        (2, "2026-07-12T02:11:16.250000Z", "stderr", "oh\n")
    ]
    assert db.execute("SELECT source, message FROM file").fetchall() == [("/a.log", "x")]
    assert db.execute("SELECT args FROM proc_start").fetchall() == [('["ls","-l"]',)]
    db.close()


def test_a_single_value_of_a_metric_has_a_view_of_its_own(tmp_path):
    single = event("metric", _metric="fs.close", _value=2.5, file="/x")._replace(source="fs.close")
    with closing(sqlite3.connect(record(tmp_path, [closed("/etc/passwd"), single]))) as db:
        assert db.execute("SELECT id FROM fs_close").fetchall() == [(1,)]
        assert db.execute("SELECT id, source, _value, file, port FROM metric_event").fetchall() == [
            (2, "fs.close", 2.5, "/x", None)
        ]


def test_a_name_that_is_no_word_of_sql_has_a_column_all_the_same(tmp_path):
    asked = event("http.req", **{"x-appscope": "here"})
    with closing(sqlite3.connect(record(tmp_path, [asked]))) as db:
        assert db.execute("SELECT x_appscope FROM http_req").fetchall() == [("here",)]


def as_of_version_1(db):
    """Make a file what the first version would have made."""
    for step in schema.MIGRATIONS[:1]:
        step(db)
    schema._make_views(db)
    db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    db.execute("PRAGMA user_version = 1")


def test_a_file_of_the_first_version_gets_metrics_and_payloads(db):
    as_of_version_1(db)
    db.execute("INSERT INTO event VALUES (1, 5, 1, 1, 'fs', 'fs.open', 0, '{\"file\":\"/a\"}')")
    assert not schema.has_table(db, "metric")
    schema.check_readable(db)

    schema.migrate(db)
    assert version(db) == len(schema.MIGRATIONS)
    assert all(schema.has_table(db, name) for name in ("metric", "payload", "event"))
    assert not schema.has_table(db, "metrics"), "that is a view"
    assert db.execute("SELECT file FROM fs_open").fetchall() == [("/a",)]


def test_a_finished_file_of_the_first_version_has_the_indexes_of_events(db):
    as_of_version_1(db)
    for name, columns in schema.INDEXES.items():
        db.execute(f"CREATE INDEX {name} ON {columns}")

    assert schema.has_indexes(db)


def test_metrics_keep_whole_numbers_and_have_a_view(tmp_path):
    writer = begin(tmp_path)
    at = STARTED_NS + 1_500_000_000
    writer.add_metrics(
        [
            Sample(at, 1, "fs.read", "counter", "byte", 2**53 + 1, {"op": "read"}),
            Sample(at, 1, "proc.cpu_perc", "gauge", "percent", 2.0, {}),
        ]
    )
    writer.finish()
    with closing(sqlite3.connect(writer.path)) as db:
        rows = db.execute(
            "SELECT time, name, type, unit, value, typeof(value), proc, pid, tags FROM metrics"
        ).fetchall()
        indexes = {row[0] for row in db.execute("SELECT name FROM sqlite_schema")}

    when = "2026-07-12T02:11:16.500000Z"
    assert rows == [
        (when, "fs.read", "counter", "byte", 2**53 + 1, "integer", "python3", 70, '{"op":"read"}'),
        (when, "proc.cpu_perc", "gauge", "percent", 2.0, "real", "python3", 70, "{}"),
    ]
    assert schema.OTHER_INDEXES.keys() <= indexes


def test_durations_stand_in_both_units(tmp_path):
    events = [
        event("fs.close", file="/a", duration=1500),
        event("proc.exit", exit_code=0, duration=2500),
        event("net.close", duration=3),
        event("dns.resp", duration=2, duration_us=2100),
        event("dns.error", error="timeout"),
    ]
    views = ("fs_close", "proc_exit", "net_close", "dns_resp", "dns_error")
    with closing(sqlite3.connect(record(tmp_path, events))) as db:
        rows = [
            db.execute(f"SELECT duration_ms, duration_us FROM {view}").fetchone() for view in views
        ]

    assert rows == [(1.5, 1500), (2.5, 2500), (3, 3000), (2, 2100), (None, None)]
