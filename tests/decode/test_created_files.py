from __future__ import annotations

import os
import stat

import pytest

from scopetrace.decode.created_files import REMEMBERED, TICK_NS, CreatedFiles
from scopetrace.decode.files import DecodedFile
from scopetrace.model.open_file import FileStat

START_NS = 1000 * 10**9
"""Unix time at 0 of CLOCK_MONOTONIC."""
ENTERED_NS, ELAPSED_NS = 50 * 10**9, 10**6
BORN_NS = START_NS + ENTERED_NS
CREATES = os.O_CREAT | os.O_WRONLY


@pytest.fixture
def created() -> CreatedFiles:
    return CreatedFiles(lambda: START_NS)


def is_new(created: CreatedFiles, path: str = "/x", flags: int = CREATES, **about: int) -> bool:
    facts = {"born_ns": BORN_NS, "size": 0, "mode": stat.S_IFREG} | about
    status = FileStat(1, 7, facts["size"], 0, facts["mode"], 0, 0, 1, facts["born_ns"])
    return created.is_new(DecodedFile(path, status, 0), flags, ENTERED_NS, ELAPSED_NS)


@pytest.mark.parametrize(
    ("born_ns", "expected"),
    [
        (BORN_NS - TICK_NS - 1, False),
        (BORN_NS - TICK_NS, True),
        (BORN_NS + ELAPSED_NS + TICK_NS, True),
        (BORN_NS + ELAPSED_NS + TICK_NS + 1, False),  # by the clock of another machine
        (0, False),  # not known
    ],
)
def test_a_file_that_is_born_in_the_call_is_created_by_it(created, born_ns, expected):
    assert is_new(created, born_ns=born_ns) == expected


@pytest.mark.parametrize(
    "about", [{"size": 1}, {"mode": stat.S_IFIFO}, {"flags": CREATES | os.O_TMPFILE}]
)
def test_what_was_there_or_has_no_name_is_not_created(created, about):
    assert not is_new(created, **about)


def test_o_excl_always_creates(created):
    assert is_new(created, flags=CREATES | os.O_EXCL, born_ns=0)


@pytest.mark.parametrize("exclusively", [0, os.O_EXCL])
def test_a_file_is_created_once(created, exclusively):
    assert is_new(created, flags=CREATES | exclusively)
    assert not is_new(created, born_ns=BORN_NS + TICK_NS)
    assert is_new(created, "/y")


def test_a_deleted_file_is_created_again(created):
    is_new(created)
    created.deleted("/x")

    assert is_new(created)


def test_a_renamed_file_is_known_by_its_new_name(created):
    is_new(created)
    created.renamed("/x", "/y")

    assert not is_new(created, "/y")
    assert is_new(created, "/x")


def test_a_file_takes_the_place_of_another(created):
    is_new(created)
    created.renamed("/old", "/x")

    assert is_new(created)


def test_so_many_files_are_remembered(created):
    for number in range(REMEMBERED):
        assert is_new(created, f"/{number}")

    assert not is_new(created, "/0")
    assert is_new(created)
    assert is_new(created, "/0")


def test_without_facts_nothing_is_known(created):
    file = DecodedFile("/x", None, 0)

    assert not created.is_new(file, CREATES | os.O_EXCL, ENTERED_NS, ELAPSED_NS)
