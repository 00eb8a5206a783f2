"""The names that a file can have had."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from scopetrace.query.moves import MOST_NAMES, Move, Moves


@pytest.mark.parametrize(
    ("names", "moves", "expected"),
    [
        (["/a"], [("/a", "/b"), ("/b", "/c")], {"/a", "/b", "/c"}),
        (["/c"], [("/a", "/b"), ("/b", "/c")], {"/a", "/b", "/c"}),
        (["/a"], [("/b", "/c"), ("/a", "/b")], {"/a", "/b", "/c"}),
        (["/d/e/x"], [("/d", "/f")], {"/d/e/x", "/f/e/x"}),
        (["/dx"], [("/d", "/e")], {"/dx"}),
    ],
)
def test_a_family_has_all_names(
    names: Sequence[str], moves: Sequence[tuple[str, str]], expected: set[str]
) -> None:
    assert Moves(Move(*move) for move in moves).family(names) == expected


def test_a_long_chain_of_renames_is_followed() -> None:
    rotated = [Move(f"/log.{number}", f"/log.{number + 1}") for number in range(100)]

    assert len(Moves(rotated).family(["/log.0"])) == 101


def test_folders_that_swap_names_end() -> None:
    moves = Moves([Move("/a", "/b/a"), Move("/b", "/a")])

    assert "/b/x" in moves.family(["/a/x"])
    assert len(moves.family(["/a/x"])) < 2 * MOST_NAMES


def test_folders_that_were_renamed_are_those_above() -> None:
    moves = Moves([Move("/a", "/b"), Move("/c", "/d"), Move("/e/x", "/e/y")])

    assert moves.folders_above(["/a/f", "/e/x"]) == {"/a", "/b"}
