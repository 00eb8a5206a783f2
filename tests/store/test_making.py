from __future__ import annotations

import os

import pytest

from scopetrace.store.alive import boot_id
from scopetrace.store.making import is_in_the_making

BOOT = boot_id()[:8]


@pytest.mark.parametrize(
    ("name", "age_s", "is_made"),
    [
        (f".7-sh.OURS.{BOOT}.db", 9999, True),
        (f".7-a.1.b.OURS.{BOOT}.db-journal", 0, True),
        (f".7-sh.{2**22 + 1}.{BOOT}.db", 0, False),
        (".7-sh.OURS.00000000.db", 1, True),
        (".7-sh.OURS.00000000.db", 9999, False),
        (".7-sh.db", 0, False),
        (".index", 0, None),
        ("7-sh.db", 0, None),
        (".x-sh.db", 0, None),
    ],
)
def test_a_hidden_name_says_whether_its_maker_may_still_be_at_it(name, age_s, is_made):
    name = name.replace("OURS", str(os.getpid()))

    assert is_in_the_making(name, age_s) is is_made
