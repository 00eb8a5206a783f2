"""Events as a table of pandas: rows, times, and names that are taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import scopetrace
from scopetrace.errors import UsageError
from scopetrace.query.frame import COLUMNS
from support.session_builder import STARTED_NS, event, record


def test_a_row_has_what_every_event_has_and_the_fields_of_its_data(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    path = record(
        tmp_path, [event("fs.open", file="/a", pid=5), event("fs.close", file="/b", duration=7)]
    )

    with scopetrace.open_session(path) as session:
        frame = session.to_pandas(source="fs.")
        nothing = session.to_pandas(source="net.open")
    assert list(frame["file"]) == ["/a", "/b"]
    assert frame["duration"].sum() == 7
    assert frame["time"][0] == pandas.Timestamp(STARTED_NS, unit="ns", tz="UTC")
    assert (frame["pid"][0], frame["data_pid"][0]) == (70, 5)
    assert frame.groupby("source").size().to_dict() == {"fs.open": 1, "fs.close": 1}
    assert len(nothing) == 0
    assert list(nothing.columns) == ["time", *COLUMNS]


def test_without_pandas_one_sentence_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record(tmp_path, [event("fs.open", file="/a")])
    monkeypatch.setitem(sys.modules, "pandas", None)

    with (
        scopetrace.open_session(path) as session,
        pytest.raises(UsageError, match=r"^to_pandas needs pandas: pip install pandas$"),
    ):
        session.to_pandas()
