from __future__ import annotations

import pytest

from scopetrace.output.values import quote, show_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("/etc/\x1bx", "/etc/\\x1bx"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (12, "12"),
        (10**20, str(10**20)),
        (3.0, "3"),
        (0.25, "0.25"),
        (1e300, str(int(1e300))),
        (["python3", "a b", 3, ""], 'python3 "a b" 3 ""'),
        ({"k": "\x07"}, '{"k":"\\u0007"}'),
        (float("inf"), "inf"),
    ],
)
def test_values_are_one_safe_line(value, shown):
    assert show_value(value) == shown


@pytest.mark.parametrize(
    ("shown", "quoted"),
    [
        ("word", "word"),
        ("", '""'),
        ("two words", '"two words"'),
        ('say "hi"', '"say \\"hi\\""'),
        ('{"a":1}', '{"a":1}'),
    ],
)
def test_what_has_spaces_is_quoted(shown, quoted):
    assert quote(shown) == quoted
