from __future__ import annotations

import os
import signal
import sqlite3
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopetrace.errors import UsageError
from scopetrace.model.fields import FIELDS, column
from scopetrace.query import open_session, where
from support.session_builder import closed, event, image, record


@pytest.fixture
def session(tmp_path):
    events = [
        closed("/etc/nginx.conf", file_read_bytes=2_000_000),
        closed("/etc/passwd"),
        event("fs.open", process=2, at=10, file=os.fsdecode(b"/\xff.conf"), op="openat", fd=3),
        event("stdout", channel=5, message="it's\nfine"),
        event("proc.start", args=["a", "b"], exe="/bin/a"),
    ]
    path = record(tmp_path, events, [image(2, pid=99, proc="gcc", uid=0, username="root")])
    with open_session(path) as opened:
        yield opened


def ids(session, expression, **filters):
    return [found.id for found in session.events(where=expression, **filters)]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("file_read_bytes > 1e6 and file like '%.conf'", [1]),
        ("file like '%.conf'", [1, 3]),
        ("file is null", [4, 5]),
        ("file_read_bytes is null or file_read_bytes < 1e6", [2, 3, 4, 5]),
        ("source = 'fs.open'", [3]),
        ("sourcetype in ('console', 'process')", [4, 5]),
        ("pid = 99 and uid = 0 and username = 'root' and proc = 'gcc'", [3]),
        ("gid = 1001 and groupname = 'staff' and cmd glob 'python3 *'", [1, 2, 3, 4, 5]),
        ("id between 2 and 3", [2, 3]),
        ("tid = 71 and channel = 5", [4]),
        ("host = 'box' and fd = 3", [3]),
        ("time = '2026-07-12T02:11:25.000000Z'", [3]),
        ("time_ns > 1783822275000000000", [3]),
        ("_time >= 1783822285.0", [3]),
        ("message = 'it''s' || char(10) || 'fine'", [4]),
        ("message like '%fine'", [4]),
        ("args like '%\"b\"%'", [5]),
        ("json_extract(args, '$[1]') = 'b'", [5]),
        ("data ->> 'exe' = '/bin/a'", [5]),
        ("basename(file) = 'passwd'", [2]),
        ("file regexp '^/etc/.*d$'", [2]),
        ("file not regexp 'etc'", [3]),
        ("regexp('conf', file)", [1, 3]),
        ("fd regexp '3'", [3]),
        ("file = '/\udcff.conf'", [3]),
        ("file regexp '\udcff'", [3]),
        ("event.file = '/etc/passwd'", [2]),
        ("0 -- and a comment", []),
        ("1", [1, 2, 3, 4, 5]),
        ("abs(-1) /* nothing */ = 1 and upper(op) = 'CLOSE'", [1, 2]),
        ("max(file_read_ops, 1) = 3", [1, 2]),
    ],
)
def test_an_expression_chooses_events(session, expression, found):
    assert ids(session, expression) == found


@pytest.mark.parametrize("name", [column(field) for field in FIELDS])
def test_every_field_has_a_name(session, name):
    assert ids(session, f"{name} is null or {name} is not null") == [1, 2, 3, 4, 5]


def test_a_name_that_is_no_word_of_sql_has_one_that_is(tmp_path):
    events = [event("http.req", **{"x-appscope": value}) for value in ("b", "a")]
    with open_session(record(tmp_path, [*events, event("http.req")])) as session:
        assert ids(session, "x_appscope = 'a'") == [2]
        assert ids(session, None, sort="x_appscope") == [1, 2, 3]
        assert ids(session, "1", sort="x_appscope", reverse=True) == [2, 1, 3]


def test_an_expression_goes_with_all_other_filters(session):
    assert ids(session, "file notnull", last=1) == [3]
    assert ids(session, "file notnull", source="fs.", last=2) == [2, 3]
    assert ids(session, "op = 'close'", pid=[70, 99], sort="file_read_bytes") == [1, 2]
    assert ids(session, "op = 'close'", match="passwd") == [2]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("fil = 1", "no event has a field named fil; did you mean file"),
        ("file_read_byte > 1", "did you mean file_read_bytes"),
        ("qqqq = 1", "no event has a field named qqqq"),
        ("event.fil = 1", "no event has a field named fil"),
        ("rowid = 1", "no event has a field named rowid"),
        ("", "not valid SQL"),
        ("   ", "not valid SQL"),
        ("file =", "not valid SQL"),
        ("file = 'x", "not valid SQL: unrecognized token"),
        ("nosuch(file)", "not valid SQL: no such function: nosuch"),
        ("count(*) > 1", "not valid SQL: misuse of aggregate"),
        ("row_number() over () > 1", "not valid SQL: misuse of window function"),
        ("file = ?", "not valid SQL"),
        ("file = :name", "not valid SQL"),
        ("a\0b", "not valid SQL"),
        ("file regexp '['", "'[' is not a regular expression: unterminated character set"),
        ("x" * 20_000, "longer than 10000 characters"),
        ("+".join("1" * 2000), "not valid SQL"),
    ],
)
def test_a_bad_expression_is_one_sentence(session, expression, sentence):
    with pytest.raises(UsageError) as caught:
        ids(session, expression)

    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    [
        "exists(select 1 from sqlite_master)",
        "exists(select 1 from event)",
        "file in (select sql from sqlite_master)",
        "(select count(*) from event, event, event) > 0",
        "1 in sqlite_master",
        "id in event",
        "file in pragma_table_info('event')",
        "exists(with recursive n(x) as (select 1 union all select x + 1 from n) select x from n)",
        "load_extension('/tmp/evil.so')",
        "1; attach '/tmp/evil.db' as evil",
        "1; delete from event",
        "1; pragma writable_schema = 1",
        "1) union select 1, 2 from event where (1",
        "1) or (1",
        "1) --",
        "1 union select 2",
        "1 order by id",
        "1 limit 1",
        "1 group by file",
        "1 /*",
        "attach '/tmp/evil.db' as evil",
        "pragma user_version",
        "raise(abort, 'x')",
        "fts3_tokenizer('x') is null",
        "select 1",
        "vacuum",
    ],
)
def test_an_expression_can_only_compute(session, expression):
    with pytest.raises(UsageError):
        ids(session, expression)

    assert ids(session, "1") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "expression",
    [
        "length(randomblob(1000000000)) > 1",
        "length(zeroblob(1000000000)) > 1",
        "length(replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000000)))) > 1",
    ],
)
def test_a_value_that_is_too_big_is_refused_not_waited_for(session, expression):
    with pytest.raises(UsageError, match="cannot be computed: string or blob too big"):
        ids(session, expression)


def test_limits_end_with_the_expression(session):
    before = session._db.getlimit(sqlite3.SQLITE_LIMIT_LENGTH)
    ids(session, "1")

    assert session._db.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == before


def test_an_expression_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    path = record(tmp_path, [closed("/a")] * 1000)
    monkeypatch.setattr(where, "TIME_LIMIT_S", 0.05)
    monkeypatch.setattr(where, "_PROGRESS_STEPS", 10)

    with (
        open_session(path) as session,
        pytest.raises(UsageError, match=r"took longer than 0\.05 seconds"),
    ):
        ids(session, "length(hex(randomblob(1000000))) < 1")


def test_the_clock_starts_again_for_each_page(tmp_path, monkeypatch):
    """A slow reader of a quick expression is no reason to stop it."""
    path = record(tmp_path, [closed("/a")] * 1200)
    monkeypatch.setattr(where, "TIME_LIMIT_S", 0.5)
    with open_session(path) as session:
        found = session.events(where="file = '/a'")
        next(found)
        time.sleep(0.6)

        assert len(list(found)) == 1199


@pytest.mark.parametrize("pressed_at", [sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION])
def test_ctrl_c_while_an_expression_is_compiled(tmp_path, monkeypatch, pressed_at):
    """SQLite denies what is asked for then: a function with the code of any error."""

    def judge(self, action: int, *_: object) -> None:
        if action == pressed_at:
            raise KeyboardInterrupt

    monkeypatch.setattr(where._Authorizer, "_judge", judge)
    with (
        open_session(record(tmp_path, [closed("/a")])) as session,
        pytest.raises(KeyboardInterrupt),
    ):
        ids(session, "file regexp '/b'")


@pytest.mark.parametrize("expression", ["length(hex(randomblob(9999))) < 1", "file regexp '/b'"])
def test_ctrl_c_stops_a_long_query(tmp_path, monkeypatch, expression):
    """SQLite swallows what is raised while it calls back; it must come out again."""
    monkeypatch.setattr(where, "_PROGRESS_STEPS", 100)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with open_session(record(tmp_path, [closed("/a")] * 20_000)) as session:
            signal.setitimer(signal.ITIMER_REAL, 0.005)
            with pytest.raises(KeyboardInterrupt):
                while True:
                    ids(session, expression)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("expression", ["length(hex('a')) < 1", "id = 1"])
def test_ctrl_c_while_an_expression_is_compiled_is_no_fault_of_the_expression(
    monkeypatch, expression
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(where._Authorizer, "_judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        where.checked(expression)


words = st.sampled_from([*"()+-*/'\"[]`;,.?|<>=", " ", "1", "file", "id", "like", "not", "select"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=40) | st.lists(words, max_size=12).map(" ".join))
def test_any_text_is_computed_or_refused_in_one_sentence(session, text):
    try:
        ids(session, text)
    except UsageError as error:
        assert "\n" not in str(error)
