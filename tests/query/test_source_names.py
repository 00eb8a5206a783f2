"""Names of sources and fields as users write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.errors import UsageError
from scopetrace.query import open_session
from scopetrace.query.source_names import as_prefix
from support.session_builder import event, image, record


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        ("http", "http*"),
        ("fs.op", "fs.op*"),
        ("fs.open", "fs.open"),
        ("http.req", "http.req"),
        ("net.tx", "net.tx"),
        ("fs.", "fs."),
        ("fs.*", "fs.*"),
        ("/var/log/a", "/var/log/a"),
        ("stdout", "stdout"),
        ("", ""),
    ],
)
def test_the_beginning_of_a_name_becomes_a_glob(source: str, pattern: str) -> None:
    assert as_prefix(source) == pattern


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return record(
        tmp_path,
        [
            event("fs.open", file="/a"),
            event("/var/log/app", message="x"),
            event("http.req", **{"content-type": "text/plain"}),
            event("hits")._replace(sourcetype="metric"),
            event("stdout", process=2, message="x"),
        ],
        [image(2, tags={"stage": "test"})],
    )


@pytest.mark.parametrize(
    ("source", "sourcetype", "fields"),
    [
        (["fs.open", "http", "fs.op", "dns.", "net.*", "stdout", "stderr"], [], []),
        (["/none.log", "*.log", "/var/log/app", "hits", "hit"], [], []),
        ([], ["fs", "notice", "metric", "p*"], []),
        ([], [], ["pid", "cmd", "tid", "uid", "time", "_time", "file", "x-appscope", "x_appscope"]),
        ([], [], ["duration_us", "content-type", "stage", "message", "args", "host"]),
    ],
)
def test_what_is_known_or_in_the_session_is_right(
    path: Path, source: list[str], sourcetype: list[str], fields: list[str]
) -> None:
    with open_session(path) as session:
        session.events(source, sourcetype)
        session.check_fields(fields)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"source": ["fs.opne"]}, "no source is named fs.opne; did you mean fs.open or"),
        ({"source": ["bogus"]}, "no source is named bogus$"),
        ({"sourcetype": ["proces"]}, "no source type is named proces; did you mean process"),
        ({"sourcetype": ["ntice"]}, "no source type is named ntice; did you mean notice"),
        ({"source": ["console"]}, "no source is named console; it is a source type: -t console$"),
        ({"sourcetype": ["http.req"]}, "type is named http.req; it is a source: -s http.req$"),
        ({"source": ["fs.open", "bogus"]}, "no source is named bogus$"),
    ],
)
@pytest.mark.parametrize("asked", ["events", "event_groups", "event_pages"])
def test_a_source_that_is_nowhere_is_refused(
    path: Path, names: dict[str, list[str]], sentence: str, asked: str
) -> None:
    first = ("file",) if asked == "event_groups" else ()
    with open_session(path) as session, pytest.raises(UsageError, match=sentence):
        getattr(session, asked)(*first, **names)


def test_a_name_of_no_filter_is_refused(path: Path) -> None:
    with open_session(path) as session, pytest.raises(TypeError, match="no filter named sorce"):
        session.event_groups("file", sorce="fs")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("fil", "no event has a field named fil; did you mean file"),
        ("conten", "no event has a field named conten"),
    ],
)
def test_a_field_that_is_nowhere_is_refused(path: Path, name: str, sentence: str) -> None:
    with open_session(path) as session, pytest.raises(UsageError, match=sentence):
        session.check_fields([name])


def test_a_negative_number_of_groups_is_refused(path: Path) -> None:
    with open_session(path) as session, pytest.raises(UsageError, match="cannot be negative"):
        session.event_groups("file", top=-1)
