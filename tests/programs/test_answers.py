"""Questions about real programs whose right answers are known without scopetrace."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from support.harness import Stage, scopetrace_command, session_files
from support.interpreter import python
from support.users import one_user


def answers(stage: Stage, *question: str) -> list[dict[str, Any]]:
    """Ask about the last session of the stage's home."""
    ending = stage.run(scopetrace_command(*question, "-j"))
    assert (ending.status, ending.stderr) == (0, b"")
    return [json.loads(line) for line in ending.stdout.splitlines()]


def test_a_shell_script_that_fails(stage: Stage) -> None:
    stage.new_home()
    script = "cat app.conf 2>/dev/null; mkdir d; echo x > d/out; mv d/out d/final; false; exit 3"
    work = str(stage.work)
    assert stage.run(scopetrace_command("run", "sh", "-c", script)).status == 3

    (summary,) = answers(stage, "summary")
    assert summary["exit_code"] == 3
    assert summary["not_found"] == [f"{work}/app.conf"]
    assert {f"{work}/d", f"{work}/d/final"} <= set(summary["written"])
    nodes = answers(stage, "tree")
    assert [(node["proc"], node["exit_code"], node["depth"]) for node in nodes] == [
        ("sh", 3, 0),
        ("cat", 1, 1),
        ("mkdir", 0, 1),
        ("mv", 0, 1),
    ]
    (final,) = [file for file in answers(stage, "files") if file["file"] == f"{work}/d/final"]
    assert (final["names"], final["written_bytes"], final["procs"]) == (
        [f"{work}/d/out"],
        2,
        ["sh", "mv"],
    )


def test_nginx_with_a_configuration_that_includes_a_missing_file(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    stage.new_home()
    missing = f"{stage.work}/sites.conf"
    configuration = stage.work / "nginx.conf"
    configuration.write_text(f"events {{}}\nhttp {{ include {missing}; }}\n")
    command = [needs("nginx"), "-t", "-p", str(stage.work), "-c", str(configuration)]
    ending = stage.run(scopetrace_command("run", *command))
    assert ending.status == 1

    (summary,) = answers(stage, "summary")
    assert summary["exit_code"] == 1
    assert missing in summary["not_found"]
    assert str(configuration) in summary["read"]
    assert any("sites.conf" in line for line in summary["stderr_last"])


def test_who_may_not_read_a_file(stage: Stage) -> None:
    stage.new_home()
    secret = stage.work / "secret"
    secret.write_text("x")
    secret.chmod(0)
    ending = stage.run(scopetrace_command("run", "cat", str(secret)))
    is_root = stage.uid is None and os.geteuid() == 0

    (summary,) = answers(stage, "summary")
    assert (ending.status, summary["denied"]) == ((0, []) if is_root else (1, [str(secret)]))


@one_user("what is kept does not depend on rights, and it makes 52,000 events")
def test_a_large_session_keeps_what_its_events_say(stage: Stage) -> None:
    script = "for at in range(26_000): open(f'{at % 3}.txt', 'a').close()"
    stage.record([python(), "-c", script])
    files = answers(stage, "files")

    with closing(sqlite3.connect(session_files(stage.home)[0], isolation_level=None)) as db:
        assert db.execute("SELECT count(DISTINCT kind) FROM answer").fetchone() == (2,)
        db.execute("DELETE FROM answer")
    assert answers(stage, "files") == files
    assert sum(file["opens"] for file in files if file["file"].endswith(".txt")) == 26_000
