from __future__ import annotations

from contextlib import closing

import pytest

from scopetrace.query.conditions import any_of, present_values
from scopetrace.query.connect import connect
from support.session_builder import event, record

SOURCES = ["fs.open", "fs.close", "fsx", "net.open", "/a.log", "/[x].log", "/\udcff.log", "stdout"]


@pytest.fixture
def db(tmp_path):
    path = record(tmp_path, [event(source, message="x") for source in SOURCES])
    with closing(connect(path)) as connection:
        yield connection


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (["fs.open"], {"fs.open"}),
        (["fs"], set()),
        (["fs."], {"fs.open", "fs.close"}),
        (["fs.*"], {"fs.open", "fs.close"}),
        (["fs*"], {"fs.open", "fs.close", "fsx"}),
        (["*.open"], {"fs.open", "net.open"}),
        (["?s.open", "stdout"], {"fs.open", "stdout"}),
        (["[fn]*.open"], {"fs.open", "net.open"}),
        (["/[x].log"], {"/[x].log"}),
        (["/?.log"], {"/a.log", "/\udcff.log"}),
        (["/\udcff.log"], {"/\udcff.log"}),
        (["*"], set(SOURCES)),
        (["FS.OPEN"], set()),
        (["' OR 1 --"], set()),
        (["nowhere", "fs.open", "fs."], {"fs.open", "fs.close"}),
        ([""], set()),
    ],
)
def test_patterns_choose_sources_by_scan_and_by_index(db, patterns, found):
    condition = any_of("source", patterns)
    rows = db.execute(f"SELECT source FROM event WHERE {condition.sql}", condition.parameters)

    assert {source for (source,) in rows} == found
    assert found <= set(present_values(db, "source", patterns, 20)) <= found | set(patterns)


def test_too_many_values_are_not_listed(db):
    assert present_values(db, "source", ["*"], len(SOURCES) - 1) is None
    assert present_values(db, "source", ["*"], len(SOURCES)) is not None
