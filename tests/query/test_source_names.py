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
        session.check_names(source, sourcetype, fields)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"source": ["fs.opne"]}, "no source is named fs.opne; did you mean fs.open or"),
        ({"source": ["bogus"]}, "no source is named bogus$"),
        ({"sourcetype": ["proces"]}, "no source type is named proces; did you mean process"),
        ({"sourcetype": ["ntice"]}, "no source type is named ntice; did you mean notice"),
        ({"fields": ["fil"]}, "no event has a field named fil; did you mean file"),
        ({"fields": ["conten"]}, "no event has a field named conten"),
    ],
)
def test_what_is_nowhere_is_refused(path: Path, names: dict[str, list[str]], sentence: str) -> None:
    with open_session(path) as session, pytest.raises(UsageError, match=sentence):
        session.check_names(**names)
