"""`scopetrace why`."""

from __future__ import annotations

import json

import pytest

from scopetrace.model.process import ProcessEnd
from scopetrace.output import why as output

LONG = "/var/lib/some/application/with/a/deep/folder/" + "x" * 60
REFUSED = {
    "op": "openat", "class": "open_close", "file": LONG, "error": "EACCES", "refused_by": LONG,
    "refused_user": "root", "refused_group": "adm", "refused_mode": 640, "needs": "write",
    "asked_uid": 1000,
}  # fmt: skip


@pytest.fixture
def failed(recorder):
    """A session of one process that may not write its log."""
    writer = recorder.start()
    writer.add_events(
        [
            recorder.event("fs.error", **REFUSED),
            recorder.event("stderr", "console", message=f"cannot open {LONG}: \x1b[1mno\n"),
        ]
    )
    writer.end_process(ProcessEnd(1, 1_783_822_276_000_000_000, 3, None, False))
    writer.finish(exit_code=3)


def test_the_reason_and_what_supports_it(failed, scopetrace):
    status, out, err = scopetrace("why")

    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"python3[70] exit 3 ← open {LONG}: EACCES, uid 1000 may not write (root:adm 0640)",
        f"  stderr  cannot open {LONG}: \\x1b[1mno",
        "  command python3 log.py",
        "  event   scopetrace events 1",
    ]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width, failed, scopetrace, monkeypatch):
    monkeypatch.setattr("scopetrace.output.width.terminal_columns", lambda stream: width)
    _, out, _ = scopetrace("why")

    assert max(map(len, out.splitlines())) <= width
    assert "".join(line.strip() for line in out.splitlines()).count(LONG[:30]) == 2


@pytest.mark.parametrize("arguments", [("1", "-j"), ("--id", "1", "--format", "json")])
def test_json_has_the_same_facts(arguments, failed, scopetrace):
    _, out, _ = scopetrace("why", *arguments)
    body = json.loads(out)

    assert list(body) == list(output.FIELDS)
    assert (body["pid"], body["status"]) == (70, "exit 3")
    assert body["failures"][0]["data"] == REFUSED
    assert body["failures"][0]["named"] is True


@pytest.mark.parametrize("form", ["csv", "md"])
def test_tables_have_a_row_for_each_process(form, failed, scopetrace):
    _, out, _ = scopetrace("why", "--format", form)

    assert "pid" in out.splitlines()[0]
    assert "exit 3" in out.splitlines()[-1]


def test_a_session_is_named_once(failed, scopetrace):
    status, _, err = scopetrace("why", "1", "--id", "1")

    assert status == 2
    assert err == "scopetrace: a session can be named once: as an argument or by --id\n"


def test_a_program_that_succeeded_has_no_reason(recorder, scopetrace):
    recorder.record(recorder.event("fs.error", **REFUSED))
    _, out, _ = scopetrace("why")

    assert out == "nothing failed: python3[70] ended with status 0\n"
