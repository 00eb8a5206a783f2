"""Events that are noted in one look are those that an index finds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scopetrace.model.event import Event
from scopetrace.model.process import ProcessEnd
from scopetrace.query import Session, few_events, open_session, sql_functions
from scopetrace.store.writer import SessionWriter
from support.flow_builder import closed as closed_flow
from support.flow_builder import opened
from support.session_builder import STARTED_NS, begin, closed, event, image
from support.sqlite_extensions import loads_extensions

EVENTS = (
    event("proc.start", op="execve", exe="/usr/bin/python3"),
    event("fs.open", file="/a", flags="O_RDONLY"),
    closed("/a"),
    event("fs.error", op="openat", file="/home/ann/none", error="ENOENT"),
    event("fs.rename", op="rename", file="/a", file_new="/b"),
    event("fs.delete", op="unlink", file="/c\udcff"),
    opened(at=1),
    closed_flow(sent=3, at=2),
    event("net.error", op="connect", error="ECONNREFUSED", net_peer_ip="10.0.0.1"),
    event("dns.resp", domain="none.example", rcode="NXDOMAIN"),
    event("http.resp", http_status_code=404, http_client_duration=3, http_target="/x"),
    event("stdout", message="one\ntwo\n"),
    event("stderr", message="it failed\n"),
    event("/home/ann/app.log", message="line\n"),
    event("notice", message="lost"),
    event("proc.exit", process=2, exit_code=1, cpu_own=5, max_rss=10),
    event("proc.exit", exit_code=3, cpu_own=7, max_rss=12),
)
ENDS = (
    ProcessEnd(2, STARTED_NS + 10, 1, None, False),
    ProcessEnd(1, STARTED_NS + 20, 3, None, False),
)
ASKED: dict[str, Callable[[Session], Any]] = {
    "summary": lambda session: session.summary()._replace(info=None),  # type: ignore[arg-type]
    "files": lambda session: session.files(),
    "flows": lambda session: list(session.flows()),
    "tree": lambda session: session.tree(),
    "why": lambda session: session.why()._replace(info=None),  # type: ignore[arg-type]
    "who file": lambda session: session.who("/b"),
    "who peer": lambda session: session.who("10.0.0.1"),
    "groups": lambda session: session.event_groups("file", "file_read_bytes"),
    "of one process": lambda session: session.files(pid=70),
}


def written(home: Path) -> SessionWriter:
    writer = begin(home)
    writer.add_process(image(2, pid=71, parent=1, proc="cat"))
    writer.add_events(EVENTS)
    for end in ENDS:
        writer.end_process(end)
    writer.commit()
    return writer


@pytest.fixture
def live(tmp_path: Path) -> Iterator[SessionWriter]:
    writer = written(tmp_path / "live")
    yield writer
    writer.discard()


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    writer = written(tmp_path / "finished")
    writer.finish(exit_code=3)
    return writer.path


def refuse(db: sqlite3.Connection) -> bool:
    return False


@pytest.mark.parametrize("asked", ASKED)
def test_a_live_session_a_finished_one_and_sqlite_alone_answer_the_same(
    live: SessionWriter, finished: Path, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_session(finished) as whole, open_session(live.path) as running:
        answer = ASKED[asked](whole)
        assert answer
        assert ASKED[asked](running) == answer
    for module in ("sql_functions", "events", "files"):
        monkeypatch.setattr(f"scopetrace.query.{module}.add_quick_functions", refuse)
    for path in (finished, live.path):
        with open_session(path) as session:
            assert ASKED[asked](session) == answer


def test_what_is_committed_later_is_added(live: SessionWriter) -> None:
    with open_session(live.path) as session:
        assert sources(session) == [e.source for e in EVENTS if e.source not in few_events.MANY]

        live.add_events([event("fs.open", file="/d", flags=""), event("stdout", message="three\n")])
        live.commit()
        assert sources(session)[-2:] == ["proc.exit", "stdout"]
        assert session.summary().stdout_lines == 3


def sources(session: Session) -> list[str]:
    table = few_events.few_events(session._db)
    assert table == "few_event"
    return [source for (source,) in session._db.execute(f"SELECT source FROM {table} ORDER BY id")]


def test_of_very_many_none_is_noted(live: SessionWriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(few_events, "MOST", len(EVENTS) - 4)
    with open_session(live.path) as session:
        for _ in range(2):
            assert few_events.few_events(session._db) == "event"
        assert session.summary().stdout_lines == 2


def test_a_finished_session_has_indexes(finished: Path) -> None:
    with open_session(finished) as session:
        assert few_events.few_events(session._db) == "event"


def test_a_query_that_is_ended_fails(live: SessionWriter) -> None:
    more: list[Event] = [event("fs.open", file="/a", flags="")] * 5000
    live.add_events(more)
    live.commit()
    with open_session(live.path) as session:
        session._db.set_progress_handler(lambda: True, 100)
        with pytest.raises(sqlite3.OperationalError, match="interrupted"):
            few_events.few_events(session._db)
        session._db.set_progress_handler(None, 0)
        assert few_events.few_events(session._db) == "few_event"


def test_where_nothing_can_be_noted_all_events_are_read(
    live: SessionWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_events, "_TABLES", ("CREATE TABLE main.few (id)",))
    with open_session(live.path) as session:
        assert few_events.few_events(session._db) == "event"
        assert session.summary().stderr_lines == 1


@loads_extensions
def test_quick_functions_are_added_once(live: SessionWriter) -> None:
    with open_session(live.path) as session:
        assert sql_functions.add_quick_functions(session._db)
        rows = session._db.execute("SELECT has_bytes('ab', 'b') FROM event")
        assert rows.fetchone() == (1,)
        assert sql_functions.add_quick_functions(session._db)
        assert rows.fetchone() == (1,)
