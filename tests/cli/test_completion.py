from __future__ import annotations

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(shell, scopetrace):
    status, out, _ = scopetrace("completion", shell)

    assert status == 0
    assert "_SCOPETRACE_COMPLETE" in out


def test_a_description_in_fish_may_have_commas(scopetrace):
    assert 'string split --max 1 "," $completion' in scopetrace("completion", "fish")[1]
