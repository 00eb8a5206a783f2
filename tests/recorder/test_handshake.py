from __future__ import annotations

import errno
import shlex

from scopetrace.recorder.handshake import why_refused
from support.harness import Stage, scopetrace_command


def test_a_program_that_is_traced_already_is_refused_in_words(stage: Stage) -> None:
    inner = scopetrace_command("run", "true")

    ending = stage.run(scopetrace_command("run", "sh", "-c", f"exec {shlex.join(inner)}"))

    assert (ending.stdout, ending.status) == (b"", 1)
    assert ending.stderr.startswith(b"scopetrace: this process is already traced, by process ")
    assert ending.stderr.count(b"\n") == 1


def test_other_errors_are_told_as_the_system_tells_them():
    assert why_refused(errno.ENOSYS, 1).endswith(": Function not implemented")
