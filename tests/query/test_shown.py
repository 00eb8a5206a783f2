"""What Python's prompt and a notebook show of a session."""

from __future__ import annotations

from pathlib import Path

import scopetrace
from scopetrace.query.shown import session_line
from support.session_builder import event, record

HOSTILE = "<script>alert('&')</script>\x1b[2J"


def test_a_prompt_shows_the_command_and_how_it_ended(tmp_path: Path) -> None:
    path = record(tmp_path, [event("fs.open", file="/a")])

    with scopetrace.open_session(path) as session:
        assert repr(session) == "<Session 1: python3 log.py (exit 0)>"
    assert repr(session) == f"<Session {path}, closed or unreadable>"


def test_the_end_of_the_program_counts_and_not_that_of_the_recording(tmp_path: Path) -> None:
    path = record(tmp_path, [])
    with scopetrace.open_session(path) as session:
        info = session.info._replace(status="running")

    assert session_line(info) == "1: python3 log.py (exit 0)"
    assert session_line(info._replace(exit_code=None)) == "1: python3 log.py (running)"


def test_a_notebook_shows_the_summary_and_what_a_program_chose_is_text(tmp_path: Path) -> None:
    path = record(tmp_path, [event("stderr", message=f"{HOSTILE}\n")])

    with scopetrace.open_session(path) as session:
        page = session._repr_html_()
    assert page.startswith("<b>Session 1: python3 log.py (exit 0)</b><pre>")
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;\\x1b[2J" in page
    assert "<script" not in page
