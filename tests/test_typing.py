"""A user's script under `mypy --strict` sees the types of the package, and no Any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import subprocess
from pathlib import Path

import scopetrace


def written(session: scopetrace.Session) -> list[str]:
    return [file.path for file in session.files() if file.written]


with scopetrace.run(["ls", Path("/")], cwd="/", stdout=subprocess.DEVNULL) as session:
    code: int | None = session.exit_code
    print(code, written(session), session.info.signal, session.path, session.last_id)
    for event in session.events(source="fs.open", where="pid > 1", last=3):
        name: str = event.text("file")
        duration: int = event.integer("duration")
        print(event.time_ns, name, duration, event.data.get("file"), event.args, event.tags)
    for flow in session.flows(peer="10.0.0.0/8"):
        print(flow.peer_name, flow.bytes_sent)
    for root in session.tree():
        for depth, node in root.walk():
            print(depth, node.pid, node.process.cmd, node.failed, node.body())
    for metric in session.metrics("fs."):
        print(metric.name, metric.value, metric.tags)
    for piece in session.payload(outgoing=True):
        print(piece.data)
    for process, end in zip(session.processes(), session.process_ends(), strict=False):
        print(process.cmd, end.exit_code)
    for bad in session.why().ends:
        print(bad.stderr, bad.origin.pid, [each.data.get("file") for each in bad.failures])
    print(session.summary().stderr_last, session.config, session.metric_settings, repr(session))
    for bad in session.why().ends:
        print(bad.origin.pid, bad.failures)
    with scopetrace.open_session() as other:
        if found := session.diff(other):
            print([each.subject for each in found.differences])
    for exchange in session.exchanges():
        print(exchange.started_ns, exchange.request)
    for touch in session.who("app.conf").touches:
        print(touch.action, [doer.label for doer in touch.chain], touch.facts.get("file"))
    for group in session.event_groups("file", sum="file_read_bytes", source="fs.close"):
        print(group.value, group.events, group.sum)
    session.save(Path("copy.db"), redact=True)
    print(scopetrace.open_session(3).event(7).source, session.flow(8).protocol)
"""
IN_TESTS = """
from pathlib import Path

from scopetrace.scoped import Scoped


def test_it(scoped: Scoped, tmp_path: Path) -> None:
    result = scoped.run(["ls", tmp_path], input="x", env={"A": "b"})
    assert (result.exit_code, result.stdout) == (0, "")
    assert [file.path for file in scoped.files(written=True, outside=tmp_path)] == []
    assert scoped.talked_to == []
    with scoped.subprocesses():
        print([session.info.command for session in scoped.sessions])
    print([event.text("file") for event in scoped.events("fs.open")])
"""
WRONG = """
import scopetrace

with scopetrace.run(["ls"], shell=True) as session:
    print(session.exitcode)
    for event in session.events(last="3"):
        print(event.name)
    scopetrace.opensession()
"""


def check(folder: Path, script: str) -> list[str]:
    """Return what mypy says of a script, line by line."""
    path = folder / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "mypy", "--strict", "--disallow-any-expr"),
            *("--no-error-summary", "--config-file=", f"--cache-dir={folder}/cache", str(path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    assert done.stderr == ""
    return done.stdout.replace(f"{path}:", "").replace("script.py:", "").splitlines()


@pytest.mark.parametrize("script", [SCRIPT, IN_TESTS])
def test_a_script_sees_no_any(script: str, tmp_path: Path) -> None:
    assert check(tmp_path, script) == []


def test_a_wrong_use_is_found(tmp_path: Path) -> None:
    found = check(tmp_path, WRONG)

    lines = {line.partition(":")[0] for line in found if ": error: " in line}
    assert lines == {"4", "5", "6", "7", "8"}
