"""Which calls are recorded whole, by the configuration."""

from __future__ import annotations

import subprocess
import sys

from scopetrace.config.load import load_config
from scopetrace.recorder.recorded_calls import recorded_calls
from scopetrace.syscalls.call_set import NOT_RECORDED

WITHOUT = """
import sys
import scopetrace.recorder.background
from scopetrace.config.load import load_config
from scopetrace.recorder.recorded_calls import recorded_calls
recorded_calls(load_config(environ={}))
sys.exit(str([name for name in sys.modules if name.startswith("scopetrace.syscalls.")] or ""))
"""


def test_the_calls_of_the_configuration_are_recorded() -> None:
    found = recorded_calls(load_config(environ={"SCOPE_SYSCALLS": "close"}))
    assert found is not None
    assert [number for number in range(5) if found.arguments[number] != NOT_RECORDED] == [3]


def test_the_table_of_calls_is_not_read_if_none_is_recorded() -> None:
    ended = subprocess.run((sys.executable, "-P", "-c", WITHOUT), stderr=subprocess.PIPE)
    assert ended.stderr.strip() == b""
