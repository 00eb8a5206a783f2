"""The plugin as its users have it: pytest runs their tests, which run programs recorded."""

from __future__ import annotations

import pytest

RUNS = """
import asyncio, os, subprocess, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


def test_what_a_program_wrote_and_printed(scoped, tmp_path):
    script = f"echo out; echo err >&2; read word; echo $word > {tmp_path}/made; exit 3"
    result = scoped.run(["sh", "-c", script], input="given", cwd=tmp_path)

    assert (result.exit_code, result.stdout, result.stderr) == (3, "out\\n", "err\\n")
    assert (tmp_path / "made").read_text() == "given\\n"
    assert not scoped.files(written=True, outside=tmp_path)
    assert [file.path for file in scoped.files(written=True)] == [f"{tmp_path}/made"]
    assert scoped.files(written=True, outside=tmp_path / "elsewhere")
    assert scoped.files(read=True, all_classes=True)
    assert scoped.talked_to == []
    assert [event.source for event in scoped.events("stdout")] == ["stdout"]


def test_whom_a_program_talked_to(scoped):
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    fetch = "import sys, urllib.request as r; r.urlopen(sys.argv[1])"
    result = scoped.run([sys.executable, "-c", fetch, f"http://127.0.0.1:{server.server_port}/"])
    thread.join()
    server.server_close()

    assert "501" in result.stderr
    assert scoped.talked_to == [f"127.0.0.1:{server.server_port}"]


def test_the_programs_that_the_tested_code_starts(scoped, tmp_path):
    async def start():
        process = await asyncio.create_subprocess_exec("cp", "/etc/passwd", f"{tmp_path}/async")
        await process.wait()

    with scoped.subprocesses():
        done = subprocess.run(["echo", "out"], capture_output=True, text=True)
        subprocess.run(f"echo $SHELLED > {tmp_path}/shell", shell=True, env={"SHELLED": "yes"})
        subprocess.run(["sh", "-c", "echo shown; echo too >&2"])
        assert os.system(f"echo > {tmp_path}/system; exit 3") == 3 << 8
        assert os.system("kill -9 $$") == 9
        asyncio.run(start())
    subprocess.run(["touch", tmp_path / "after"])

    assert (done.stdout, done.returncode, done.args) == ("out\\n", 0, ["echo", "out"])
    assert (tmp_path / "shell").read_text() == "yes\\n"
    written = {file.path for file in scoped.files(written=True)}
    assert written == {f"{tmp_path}/{name}" for name in ("shell", "system", "async")}
    commands = [session.info.command for session in scoped.sessions]
    assert commands == ["echo", "sh", "sh", "sh", "sh", "cp"]


def test_sessions_of_another_test_are_not_here(scoped):
    assert scoped.sessions == []


def test_a_question_about_nothing_is_refused(scoped, tmp_path):
    subprocess.run(["touch", tmp_path / "file"])

    for ask in (scoped.files, scoped.events, lambda: scoped.talked_to):
        with pytest.raises(Exception, match="this test records no program"):
            ask()


def test_a_text_is_refused(scoped):
    with pytest.raises(Exception, match="is a list of its name and arguments"):
        scoped.run("ls -l")
"""

FAILS = """
def test_it_finds_its_configuration(scoped, tmp_path):
    result = scoped.run(["sh", "-c", "cat app.conf || exit 1"], cwd=tmp_path)
    assert result.exit_code == 0


def test_without_programs():
    assert False
"""


def test_a_test_asks_what_its_programs_did(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(RUNS)
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=6)


def test_a_failing_assertion_has_the_summary_in_its_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILS)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(failed=2)
    result.stdout.re_match_lines(
        [
            r"E +(assert|\+ +where) .*<Result <Session 1: sh -c .* \(exit 1\)>>.*",
            r"-+ Captured stderr call -+",
            r"cat: app.conf: No such file or directory",
            r"-+ scopetrace session 1 \(/.*1-sh\.db\) -+",
            r"sh\[\d+\] exit 1 ← cat\[\d+\] exit 1 ← .*app\.conf.*ENOENT.*",
            r"ended      exit 1 after .*",
            r"not found  .*/app\.conf",
        ]
    )
    assert str(result.stdout).count("- scopetrace session") == 1


NOTHING_MORE = """
import sys

def test_it():
    assert [name for name in sys.modules if name.startswith("scopetrace.")] == LOADED
    assert not {"sqlite3", "click", "msgspec"} & set(sys.modules)
"""


@pytest.mark.parametrize(
    ("options", "loaded"),
    [((), []), (("-p", "scopetrace.pytest_plugin"), ["scopetrace.pytest_plugin"])],
)
def test_a_run_without_the_fixture_imports_nothing_more(
    options: tuple[str, ...],
    loaded: list[str],
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(NOTHING_MORE.replace("LOADED", repr(loaded)))

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    result.assert_outcomes(passed=1)
