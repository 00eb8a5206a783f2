from __future__ import annotations

import io

import pytest

from scopetrace.output.color import paint, wants_color


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "stream", "environ", "wanted"),
    [
        ("auto", Terminal(), {"TERM": "xterm"}, True),
        ("auto", io.StringIO(), {"TERM": "xterm"}, False),
        ("auto", Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        ("auto", Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        ("auto", Terminal(), {"TERM": "dumb"}, False),
        ("always", io.StringIO(), {"NO_COLOR": "1"}, True),
        ("never", Terminal(), {"TERM": "xterm"}, False),
    ],
)
def test_colour_is_for_terminals_unless_told_otherwise(choice, stream, environ, wanted):
    assert wants_color(choice, stream, environ) is wanted


def test_paint_ends_what_it_begins():
    assert paint("x", "green") == "\x1b[32mx\x1b[0m"
