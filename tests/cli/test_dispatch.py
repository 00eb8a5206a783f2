from __future__ import annotations

import click
import pytest

from scopetrace.cli import dispatch
from scopetrace.errors import ScopeError, UsageError


def test_the_status_of_a_command_is_returned():
    assert dispatch.dispatch(["--help"]) == 0


def test_a_wrong_option_is_a_usage_error_that_names_the_help():
    with pytest.raises(UsageError, match=r"^no such option.*; try 'scopetrace events --help'$"):
        dispatch.dispatch(["events", "--colour-of-the-sky"])


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (click.exceptions.Exit(3), 3),
        (click.Abort(), KeyboardInterrupt),
        (click.ClickException("the file is gone"), ScopeError),
    ],
    ids=["exit", "abort", "error"],
)
def test_what_click_raises_becomes_a_status_or_an_error_of_ours(raised, expected, monkeypatch):
    def fail(args):
        raise raised

    monkeypatch.setattr(dispatch, "_invoke", fail)
    if isinstance(expected, int):
        assert dispatch.dispatch([]) == expected
        return
    with pytest.raises(expected):
        dispatch.dispatch([])
