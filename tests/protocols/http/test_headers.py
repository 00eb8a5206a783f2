from __future__ import annotations

import pytest

from scopetrace.config.patterns import compile_pattern
from scopetrace.protocols.http.headers import Headers


def headers(*pairs: tuple[bytes, bytes]) -> Headers:
    return Headers(pairs)


def test_fields_are_found_whatever_their_case_and_joined():
    found = headers((b"Accept", b"a"), (b"X", b"\xff"), (b"ACCEPT", b"b"))

    assert found.get(b"accept") == "a, b"
    assert found.get(b"x") == "\udcff"
    assert found.get(b"none") == ""


@pytest.mark.parametrize(
    ("value", "length"),
    [
        (b"0", 0),
        (b"12", 12),
        (b"", None),
        (b"-1", None),
        (b"+1", None),
        (b"1, 1", 1),
        (b"1, 2", None),
        (b"1,", None),
        (b"\xb2", None),
        (b"9" * 18, int("9" * 18)),
        (b"9" * 19, None),
    ],
)
def test_a_length_is_a_number_that_fits(value, length):
    assert headers((b"Content-Length", value)).length == length


def test_the_last_coding_counts():
    assert headers((b"transfer-encoding", b"gzip, Chunked ")).coding == "chunked"
    assert headers((b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"x")).coding == "x"
    assert headers().coding == ""


def test_wanted_fields_are_named_in_lower_case():
    found = headers((b"X-One", b"1"), (b"Z", b"x-one: 2"), (b"Y", b"3"), (b"x-one", b"4"))

    one = compile_pattern("^x-one", ignore_case=True)
    assert found.matching([one]) == {"x-one": "1, 4"}
    assert found.matching([compile_pattern("^Y: 3$"), compile_pattern("2")]) == {
        "z": "x-one: 2",
        "y": "3",
    }
    assert found.matching([]) == {}
