"""Which variables of the environment differ."""

from __future__ import annotations

from pathlib import Path

from scopetrace.model.event import Event
from support.session_builder import event
from support.two_runs import Run, found


def started(*env: str) -> list[Event]:
    return [event("proc.start", op="execve", exe="/bin/sh", args=["sh"], env=list(env))]


def test_variables_that_differ_and_those_that_only_the_shell_sets(tmp_path: Path) -> None:
    a = Run(started("PATH=/bin", "LANG=C", "OLD=1", "SHLVL=1", "T=/home/ann/x"))
    b = Run(started("LANG=C", "NEW=a=b", "PATH=/opt/bin:/bin", "SHLVL=2", "T=/home/ann/x"))

    assert found(tmp_path, a, b) == [
        ("only B", "process", "NEW", None, "a=b"),
        ("only A", "process", "OLD", "1", None),
        ("content", "process", "PATH", "/bin", "/opt/bin:/bin"),
    ]


def test_an_environment_that_was_not_recorded_is_not_compared(tmp_path: Path) -> None:
    assert found(tmp_path, Run(started("A=1")), Run(started())) == []
