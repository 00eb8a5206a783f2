from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.errors import UsageError
from scopetrace.lessons.key import answers
from scopetrace.query import open_session
from scopetrace.query.session import Session
from support.session_builder import event, record

WORK = Path("/home/ann")


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session without system calls, with two failures."""
    missing = {"op": "open", "error": "ENOENT", "class": "open_close"}
    found = [
        event("fs.error", 1, file="/home/ann/a/b", missing_folder="/home/ann/a", **missing),
        event("fs.error", 2, file="/c", **missing),
    ]
    return open_session(record(tmp_path, found))


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        (3, ("3",)),
        ("yes", ("yes",)),
        (True, ("yes",)),
        (False, ("no",)),
        (["fork", 2], ("fork", "2")),
    ],
)
def test_an_answer_may_stand_in_the_text(
    answer: object, known: tuple[str, ...], session: Session
) -> None:
    with session:
        assert answers(answer, session, WORK) == known


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"events": "fs.error"}, "2"),
        ({"events": "fs.error", "where": "file = '/c'"}, "1"),
        ({"status": "all"}, "0"),
        ({"processes": "all"}, "1"),
        ({"why": "error"}, ""),
    ],
)
def test_an_answer_is_looked_up(answer: dict[str, str], known: str, session: Session) -> None:
    with session:
        assert answers(answer, session, WORK)[0] == known


@pytest.mark.parametrize("answer", [{"counts": "write"}, {"count": "write", "pth": "a"}, {}])
def test_an_unknown_query_is_one_sentence(answer: dict[str, str], session: Session) -> None:
    with session, pytest.raises(UsageError, match=r"^an answer is one of count, bytes, any"):
        answers(answer, session, WORK)
