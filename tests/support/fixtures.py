"""Fixtures that several folders use, a plugin of the root conftest.py: nothing imports them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from support.raw_builder import Tracee, started_program
from support.recording import Recording


@pytest.fixture
def tracee() -> Tracee:
    """A program that just started, in /home/me, with a terminal on fds 0 to 2."""
    return started_program()


@pytest.fixture
def record(tracee: Tracee, tmp_path: Path) -> Callable[..., Recording]:
    """Begin a recording with a configuration."""

    def begin(config: str | None = None) -> Recording:
        recording = Recording(tracee, tmp_path, config)
        recording.go()
        return recording

    return begin


@pytest.fixture
def recording(record: Callable[..., Recording]) -> Recording:
    """A recording with the stock configuration that knows the start of the program."""
    return record()
