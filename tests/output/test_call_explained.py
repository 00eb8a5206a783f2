"""One call explained, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from scopetrace.output.call_explained import (
    Related,
    call_explained_body,
    call_lines,
    explained_call,
    raw_line,
    related_lines,
)
from scopetrace.output.syscall_lines import CallLines, LineOptions
from scopetrace.syscalls.chains import Chain, Use
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from support.packed_builder import call, text

DATA = {"op": "openat", "error": "ENOENT", "file": "/a/b", "missing_folder": "/a"}
RELATED = [Related("opened", 3, "openat(…) = 3"), Related("before", 0, "2 reads")]


@pytest.fixture
def found():
    made = call("openat", -100 & 0xFFFFFFFF, 0x2000, 0, 0, result=-2, memory=[text(1, "/a/b")])
    recorded = Recorded(7, made.time_ns, 12_000, 1, 70, "cat", *made[3:])
    return explained_call(recorded, Files("/"), "openat(…) = -1", DATA, RELATED)


@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_text_fits_and_has_its_parts(found, width):
    lines = list(call_lines(found, width))

    assert max(map(len, lines)) <= width
    words = " ".join(" ".join(lines).split())
    assert words.startswith("call 7 of cat[70], ")
    assert "Could not open /a/b for reading: there is no folder /a (ENOENT)." in words
    assert "O_RDONLY: for reading only" in words
    assert "call 3: openat(…) = 3" in words
    assert words.endswith("manual man 2 openat")


def test_json_has_the_same(found):
    body = json.loads(json.dumps(call_explained_body(found)))

    assert body["id"] == 7 and body["error"] == "ENOENT"
    assert body["why"] == "there is no folder /a"
    assert body["evidence"]["missing_folder"] == "/a"
    assert [each["name"] for each in body["arguments"]][:3] == ["dirfd", "pathname", "flags"]
    assert body["related"][1] == {"label": "before", "number": 0, "text": "2 reads"}


def test_registers_by_abi():
    made = call("close", 3)
    recorded = Recorded(7, 0, 1, 1, 70, "cat", *made[3:])

    assert raw_line(recorded) == "x86-64 call 3: rdi=0x3 = 0x0"
    assert raw_line(recorded._replace(abi=1)) == "i386 call 3: ebx=0x3 ecx=0x0 edx=0x0 = 0x0"


def test_what_was_done_with_a_descriptor_is_told_before_and_after():
    def related_of(*uses: Use) -> list[Related]:
        return related_lines(Chain(uses, ()), CallLines(LineOptions()))

    read, none = Counter(read=2), Counter[str]()
    assert related_of(Use(3, "", None, read, none, None)) == [Related("before", 0, "2 reads")]
    assert related_of(Use(3, "", None, none, read, None)) == [Related("then", 0, "2 reads")]
    part = Use(3, "", None, read, read, None, knows_before=False, knows_after=False)
    assert [each.text for each in related_of(part)] == ["at least 2 reads"] * 2
    both = (Use(3, "", None, read, none, None), Use(4, "", None, none, read, None))
    assert related_of(*both) == [
        Related("before 3", 0, "2 reads"),
        Related("then 4", 0, "2 reads"),
    ]
