"""`scopetrace fields`."""

from __future__ import annotations

import json


def test_the_fields_of_one_source(scopetrace):
    status, out, err = scopetrace("fields", "dns.error")

    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "dns.error (dns): A question stayed without an answer."
    assert "  duration " in out


def test_json_and_csv(scopetrace):
    status, out, err = scopetrace("fields", "fs.delete", "-j")

    assert (status, err) == (0, "")
    bodies = [json.loads(line) for line in out.splitlines()]
    assert [body["field"] for body in bodies] == ["op", "file", "file_passed"]
    assert bodies[1] == {
        "source": "fs.delete",
        "sourcetype": "fs",
        "field": "file",
        "type": "text",
        "unit": "",
        "meaning": "path of the file, as the kernel names it",
    }
    lines = scopetrace("fields", "fs.delete", "--format", "csv")[1].splitlines()
    assert lines[0] == "source,sourcetype,field,type,unit,meaning"


def test_all_of_them_need_no_session(scopetrace):
    status, out, err = scopetrace("fields")

    assert (status, err) == (0, "")
    assert all(f"\n{name}" in f"\n{out}" for name in ("fs.open", "flows: ", "files: ", "metrics: "))


def test_an_unknown_source_gets_the_nearest(scopetrace):
    assert scopetrace("fields", "fs.opne") == (
        2,
        "",
        "scopetrace: no source is named fs.opne; did you mean fs.open or fs.close?\n",
    )
