from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.raw import HEADER, Part, RawKind, unpack_batch
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
