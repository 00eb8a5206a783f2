from __future__ import annotations

import ast
import gc
from pathlib import Path

from scopetrace import decode
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


def test_no_module_passes_a_tuple_of_constants_alone() -> None:
    calls = [
        call
        for path in Path(decode.__file__).parents[1].rglob("*.py")
        for call in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "build"
    ]

    tuples = [call.args[1] for call in calls if isinstance(call.args[1], ast.Tuple)]
    assert tuples
    assert not [made for made in tuples if all(isinstance(at, ast.Constant) for at in made.elts)]


def test_taken_apart_it_is_itself() -> None:
    made = build(FileStat, FIELDS)
    assert values(made) is made


def test_what_was_unpacked_once_is_unpacked_again() -> None:
    raw = STAT.pack(*FIELDS)
    assert STAT.unpack(raw) == open_file({Part.STAT: raw}, "", 0).stat == STAT.unpack(raw)
    assert type(STAT.unpack(raw)) is tuple
