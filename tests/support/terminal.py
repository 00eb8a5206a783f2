"""Programs on a terminal of their own, and a shell with job control there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pexpect

from support.harness import PATIENCE, Ending, Stage, scopetrace_command

PROMPT = "READY> "
SHELL = ["/bin/bash", "--norc", "--noprofile", "--noediting", "-i"]


def spawn(stage: Stage, argv: list[str], **variables: str) -> Any:
    def become_user() -> None:
        if stage.uid is not None:
            os.fchown(0, stage.uid, stage.uid)
            os.setgroups([])
            os.setgid(stage.uid)
            os.setuid(stage.uid)

    environ = stage.environment() | {"PS1": PROMPT, "TERM": "dumb"} | variables
    return pexpect.spawn(
        argv[0],
        argv[1:],
        cwd=str(stage.work),
        env=environ,
        timeout=PATIENCE,
        preexec_fn=become_user,
        echo=False,
        encoding="utf-8",
    )


@contextmanager
def on_a_terminal(stage: Stage, argv: list[str], recorded: bool, **variables: str) -> Iterator[Any]:
    """Run a program on a terminal of its own."""
    child = spawn(stage, scopetrace_command("run", *argv) if recorded else argv, **variables)
    child.delaybeforesend = None
    try:
        yield child
    finally:
        try:
            child.close(force=True)
        except pexpect.ExceptionPexpect:  # a busy machine takes longer to end it
            os.waitpid(child.pid, 0)


def ended(child: Any) -> Ending:
    child.expect(pexpect.EOF)
    child.wait()
    status = -child.signalstatus if child.signalstatus else child.exitstatus
    return Ending(b"", b"", status)
