from __future__ import annotations

import sqlite3

from scopetrace import __version__


def test_version_names_all_that_a_report_needs(scopetrace):
    status, out, err = scopetrace("version")

    assert (status, err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert list(lines) == ["scopetrace", "Python", "SQLite", "Linux", "engine", "gate"]
    assert lines["scopetrace"] == __version__
    assert lines["SQLite"] == sqlite3.sqlite_version
    assert lines["gate"] == "works"
