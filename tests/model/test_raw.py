from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.raw import (
    HEADER,
    PART_CUT,
    PART_UNREADABLE,
    Note,
    Part,
    RawKind,
    Seen,
    Way,
    unpack_batch,
)
from scopetrace.source import Mode
from support.raw_builder import pack_record

PARTS = st.dictionaries(st.sampled_from(list(Part)), st.binary(max_size=20), max_size=5)


@given(st.lists(PARTS, max_size=5))
def test_a_batch_is_taken_apart_as_it_was_put_together(payloads):
    batch = b"".join(
        pack_record(RawKind.SYSCALL, call=number, args=(number, -1), result=-number, parts=parts)
        for number, parts in enumerate(payloads)
    )

    records = list(unpack_batch(batch))

    assert [record.parts() for record in records] == payloads
    assert [record.syscall for record in records] == list(range(len(payloads)))
    assert [record.result for record in records] == [-n for n in range(len(payloads))]
    assert all(record.args[1] == 2**64 - 1 for record in records)


def test_a_kind_of_part_that_comes_often_is_had_in_full():
    record = pack_record(9, parts=[(Part.CONTROL, b"a"), (Part.PATH, b"b"), (Part.CONTROL, b"c")])

    (record,) = unpack_batch(record)

    assert record.all_parts(Part.CONTROL) == [b"a", b"c"]


def test_a_record_smaller_than_its_header_ends_the_batch():
    broken = HEADER.pack(0, *[0] * 16)

    with pytest.raises(ValueError, match="0 bytes"):
        list(unpack_batch(broken))


def test_half_a_header_ends_the_batch():
    with pytest.raises(struct.error):
        list(unpack_batch(pack_record(1)[:50]))


EXT = Path(__file__).parents[2] / "ext"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
ENUMERATOR = re.compile(r"([A-Z]+_\w+)(?: = (\d+))?,")


def c_enum(header: str, name: str) -> dict[str, int]:
    """Return the numbers of an enum of C by their names without the prefix."""
    text = COMMENT.sub("", (EXT / header).read_text())
    found, following = {}, 0
    for word, number in ENUMERATOR.findall(text.partition(f"enum {name} {{")[2].partition("};")[0]):
        following = int(number or following)
        found[word.partition("_")[2]] = following
        following += 1
    return found


@pytest.mark.parametrize(
    ("members", "header", "name"),
    [
        (RawKind, "record/record.h", "raw_kind"),
        (Way, "record/record.h", "raw_way"),
        (Part, "record/record.h", "raw_part_kind"),
        (Seen, "record/record.h", "raw_seen"),
        (Note, "record/record.h", "raw_note"),
        (Mode, "table/syscalls.h", "call_mode"),
    ],
)
def test_numbers_are_those_of_the_engine(members, header, name):
    assert {member.name: member.value for member in members} == c_enum(header, name)


def test_flags_of_a_part_are_those_of_the_engine():
    flags = c_enum("record/record.h", "raw_part_flags")

    assert (flags["CUT"], flags["UNREADABLE"]) == (PART_CUT, PART_UNREADABLE)
