"""Questions about real programs whose right answers are known without scopetrace."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from support.harness import Stage, scopetrace_command


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
