"""The options that are passed on are those of Popen."""

from __future__ import annotations

import inspect
import subprocess

from scopetrace.recorder.popen_options import PopenOptions

OURS = {"args", "executable", "shell", "startupinfo", "creationflags"}
"""What is no option of a recorded program: it is a list, and no command line of Windows."""
OF_STREAMS = {"bufsize", "text", "encoding", "errors", "universal_newlines", "pipesize"}
"""How the caller would read pipes, which `run` does not return."""


def test_each_option_is_one_of_popen_and_none_is_left_out() -> None:
    theirs = set(inspect.signature(subprocess.Popen).parameters)
    assert set(PopenOptions.__annotations__) == theirs - OURS - OF_STREAMS
