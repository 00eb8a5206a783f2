"""Numbers of things in sentences."""

import pytest

from scopetrace.model.counts import number_of


@pytest.mark.parametrize(
    ("count", "noun", "text"),
    [
        (0, "file", "0 files"),
        (1, "file", "1 file"),
        (2048, "file", "2,048 files"),
        (1, "process", "1 process"),
        (2, "process", "2 processes"),
    ],
)
def test_only_one_thing_has_the_singular(count, noun, text):
    assert number_of(count, noun) == text
