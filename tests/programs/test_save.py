"""Copies of sessions of real programs: one that is being recorded, one without secrets."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

import scopetrace
from support.harness import Stage, scopetrace_command, wait_for

pytestmark = pytest.mark.parametrize("stage", [None], indirect=True, ids=["as-we-are"])
"""What is read of sessions does not depend on the user; recording by each is tested elsewhere."""

SECRET = "correct-horse-battery"


def test_a_session_that_is_being_recorded(stage: Stage) -> None:
    stage.new_home()
    script = "echo one > first; read line; echo two > second"
    program = subprocess.Popen(
        scopetrace_command("run", "sh", "-c", script),
        stdin=subprocess.PIPE,
        cwd=stage.work,
        env=stage.environment(),
        **stage.become(),
    )
    wait_for(lambda: b"first" in stage.run(scopetrace_command("files", "-j")).stdout, "a file")
    ending = stage.run(scopetrace_command("save", "copy.db"))
    assert (ending.status, ending.stderr) == (0, b"")
    program.communicate(b"go\n")

    assert [path.name for path in stage.work.glob("copy.db*")] == ["copy.db"]
    with scopetrace.open_session(stage.work / "copy.db") as session:
        written = {file.path for file in session.files() if file.written}
        assert written == {f"{stage.work}/first"}
        assert session.info.status == "stopped"
        assert session.info.exit_code is None


@pytest.fixture
def netrc(stage: Stage) -> None:
    (stage.work / "body").write_text(SECRET)


@pytest.mark.usefixtures("netrc")
def test_a_request_with_a_password_a_token_and_a_body(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    script = f"""
        export API_TOKEN={SECRET}
        python3 -u -m http.server --bind 127.0.0.1 0 > log 2>&1 & server=$!
        until grep -q Serving log; do sleep 0.05; done
        port=$(sed 's/.*port \\([0-9]*\\).*/\\1/;q' log)
        {needs("curl")} -s -u ann:{SECRET} -H 'Cookie: id={SECRET}' --data @body \\
            "http://127.0.0.1:$port/x?key={SECRET}"
        kill $server; wait $server; true
    """
    stage.new_home()
    (stage.work / "script").write_text(script)
    assert stage.run(scopetrace_command("run", "-p", "sh", "script")).status == 0
    for name, options in (("plain.db", []), ("redacted.db", ["--redact"])):
        ending = stage.run(scopetrace_command("save", *options, name))
        assert (ending.status, ending.stderr) == (0, b"")

    assert SECRET.encode() in (stage.work / "plain.db").read_bytes()
    assert SECRET.encode() not in (stage.work / "redacted.db").read_bytes()
    with scopetrace.open_session(stage.work / "redacted.db") as session:
        assert [event.data["http_method"] for event in session.events("http.req")] == ["POST"] * 2
        assert {event.data["http_target"] for event in session.events("http.req")} == {
            "/x?[redacted]"
        }
