"""A process as it is shown."""

from __future__ import annotations

import pytest

from support.session_builder import image


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        ({"args": ("sh", "-c", "ls / | wc")}, "sh -c 'ls / | wc'"),
        ({"args": ("cc", "a b.c"), "args_missing": 7}, "cc 'a b.c' ... (7 more)"),
        ({"args": (), "cmd": "[kworker]"}, "[kworker]"),
        ({"args": (), "cmd": "", "proc": "cc1"}, "cc1"),
    ],
)
def test_its_command_is_as_it_would_be_typed(facts: dict[str, object], command: str) -> None:
    assert image()._replace(**facts).command == command
