"""What a newcomer asks of a program: each question is one command.

The right answers are known without scopetrace.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.harness import Ending, Stage, scopetrace_command
from support.interpreter import python
from support.net_peers import HOST, web_server
from support.users import without_rights

pytestmark = without_rights  # one of them is why permission is denied

Needs = Callable[[str], str]


def run(stage: Stage, *argv: str | Path, status: int = 0) -> None:
    """Record a program as the only session of the stage's home."""
    stage.new_home()
    run_again(stage, *argv, status=status)


def run_again(stage: Stage, *argv: str | Path, status: int = 0) -> None:
    ending = stage.run(scopetrace_command("run", "--", *argv))
    assert ending.status == status, ending


def ask(stage: Stage, *question: str, status: int = 0) -> str:
    """Return what one command prints, as in a terminal of any width."""
    ending: Ending = stage.run(scopetrace_command(*question))
    assert (ending.status, ending.stderr) == (status, b"")
    return ending.stdout.decode()


def bodies(stage: Stage, *question: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ask(stage, *question, "-j").splitlines()]


def paths(stage: Stage, *question: str) -> set[str]:
    return {body["file"] for body in bodies(stage, "files", *question)}


def test_which_configuration_was_read_and_which_was_looked_for(stage: Stage, needs: Needs) -> None:
    missing, read = stage.work / "sites.conf", stage.work / "nginx.conf"
    read.write_text(f"events {{}}\nhttp {{ include {missing}; }}\n")
    run(stage, needs("nginx"), "-t", "-p", stage.work, "-c", read, status=1)

    assert str(read) in paths(stage, "--read")
    assert str(missing) in paths(stage, "--missed")
    assert f"open {missing}: ENOENT" in ask(stage, "why")


def test_what_is_slow(stage: Stage) -> None:
    run(stage, "sh", "-c", "sleep 0.01; sleep 0.6; true")

    (slow,) = bodies(stage, "summary")
    assert slow["slow"][0]["name"] == "sleep 0.6"
    assert slow["slow"][0]["duration_us"] >= 600_000


def test_who_deleted_my_file(stage: Stage) -> None:
    run(stage, "sh", "-c", "echo x > mine; (cp mine copy; exec rm mine); cat copy")

    (deleted,) = (touch for touch in bodies(stage, "who", "mine") if touch["action"] == "delete")
    assert deleted["proc"] == "rm"
    assert "rm[" in ask(stage, "who", "mine").splitlines()[-1]


def test_what_is_sent_to_whom(stage: Stage) -> None:
    script = "import requests, sys; requests.post(sys.argv[1], data=b'x' * 3000)"
    with web_server(stage.folder) as server:
        run(stage, python(), "-c", script, f"http://{HOST}:{server.port}/echo")
        (flow,) = (flow for flow in bodies(stage, "flows") if flow.get("role") == "client")

    assert (flow["net_peer_ip"], flow["net_peer_port"]) == (HOST, server.port)
    assert flow["net_protocol"] == "HTTP"
    assert 3000 < flow["net_bytes_sent"] < 4000
    assert f"{HOST} port {server.port} HTTP" in ask(stage, "summary")


def test_where_the_logs_are(stage: Stage) -> None:
    script = "import logging; logging.basicConfig(filename='app.log'); logging.error('it broke')"
    run(stage, python(), "-c", script)

    (log,) = bodies(stage, "summary")[0]["logs"]
    assert (log["path"], log["lines"]) == (str(stage.work / "app.log"), 1)
    assert "last: ERROR:root:it broke" in ask(stage, "summary")


def test_why_permission_is_denied(stage: Stage) -> None:
    run(stage, "sh", "-c", "echo x > secret; chmod 0 secret; cat secret", status=1)

    assert f"← open {stage.work}/secret: EACCES, uid" in ask(stage, "why").splitlines()[0]


def test_what_ran_and_how_it_ended(stage: Stage) -> None:
    (stage.work / "Makefile").write_text("all: one two\none:\n\ttrue\ntwo:\n\tfalse\n")
    run(stage, "make", "--no-print-directory", status=2)

    nodes = bodies(stage, "tree")
    assert [(node["proc"], node["exit_code"], node["depth"]) for node in nodes] == [
        ("make", 2, 0),
        ("true", 0, 1),
        ("false", 1, 1),
    ]
    assert "false  exit 1" in ask(stage, "tree", "--failed")


def test_what_changed_between_two_runs(stage: Stage, needs: Needs) -> None:
    git = needs("git")
    assert stage.run([git, "init", "-q", stage.work]).status == 0
    run(stage, git, "-C", stage.work, "status")
    (stage.work / "new").write_text("x")
    run_again(stage, git, "-C", stage.work, "status")

    assert "new" in ask(stage, "diff", "1", "2", status=1)


def test_how_many_bytes_each_file_got(stage: Stage) -> None:
    run(stage, "sh", "-c", "head -c 3000 /dev/zero > a; head -c 5 /dev/zero >> a; echo > b")

    written = {body["file"]: body["written_bytes"] for body in bodies(stage, "files", "--written")}
    assert (written[f"{stage.work}/a"], written[f"{stage.work}/b"]) == (3005, 1)


@pytest.mark.parametrize("option", ["--written", "--deleted"])
def test_what_my_test_suite_touches(stage: Stage, option: str) -> None:
    stray = stage.work / "stray"
    test = f"def test():\n    f = open({str(stray)!r}, 'w')\n    f.close()\n"
    (stage.work / "test_it.py").write_text(test + "    import os; os.unlink(f.name)\n")
    run(stage, python(), "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")

    assert paths(stage, option, "-m", str(stage.work)) == {str(stray)}
