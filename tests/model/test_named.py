from __future__ import annotations

import gc

from scopetrace.decode.files import open_file
from scopetrace.model.named import build, values
from scopetrace.model.open_file import FileStat
from scopetrace.model.raw import STAT, Part

FIELDS = (1, 2, 3, 4, 5, 6, 7, 8, 2**63)


def test_it_is_what_the_class_makes() -> None:
    made = build(FileStat, FIELDS)
    assert made == FileStat(*FIELDS)
    assert type(made) is FileStat


def test_a_compiled_module_makes_the_same() -> None:
    made = open_file({Part.STAT: STAT.pack(*FIELDS)}, "", 0).stat
    assert made == FileStat(*FIELDS)
    assert type(made) is FileStat
    assert gc.is_tracked(made)


def test_taken_apart_it_is_itself() -> None:
    made = build(FileStat, FIELDS)
    assert values(made) is made


def test_what_was_unpacked_once_is_unpacked_again() -> None:
    raw = STAT.pack(*FIELDS)
    assert STAT.unpack(raw) == open_file({Part.STAT: raw}, "", 0).stat == STAT.unpack(raw)
    assert type(STAT.unpack(raw)) is tuple
