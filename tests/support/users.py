"""The users as whom programs are recorded."""

from __future__ import annotations

import os

import pytest

from support.interpreter import NOBODY
from support.thorough import THOROUGH


def users() -> list[int | None]:
    """Return the users of end-to-end tests: the one we are (None), and if that is root, nobody."""
    return [None, NOBODY] if os.geteuid() == 0 else [None]


def as_whom(uid: int | None) -> str:
    """Return the part of a test's name that says as whom it is made."""
    return "as-nobody" if uid else "as-we-are"


def one_user(reason: str) -> pytest.MarkDecorator:
    """Have a test be made as the user with the fewest rights only, unless THOROUGH.

    Args:
        reason: why what the test compares cannot depend on who records.
    """
    assert reason
    chosen = users() if THOROUGH else users()[-1:]
    return pytest.mark.parametrize("stage", chosen, indirect=True, ids=as_whom)


without_rights = pytest.mark.parametrize("stage", users()[-1:], indirect=True, ids=as_whom)
"""For tests of what root may do."""
