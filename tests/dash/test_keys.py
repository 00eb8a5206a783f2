from __future__ import annotations

from scopetrace.dash.app import Dashboard
from scopetrace.dash.keys import FOOT, KEYS, help_text


def test_every_key_has_a_method():
    for key in KEYS:
        assert hasattr(Dashboard, f"action_{key.action.partition('(')[0]}"), key


def test_no_key_is_there_twice():
    assert len({key.name for key in KEYS}) == len(KEYS)


def test_the_texts_fit_80_columns():
    assert len(FOOT) <= 80
    assert max(map(len, help_text().splitlines())) <= 68
    assert len(help_text().splitlines()) <= 20
