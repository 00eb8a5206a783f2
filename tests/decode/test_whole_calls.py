"""Calls that are recorded whole pass through decode as they are."""

from __future__ import annotations

import pytest

from scopetrace.model.operation import CalledWhole
from scopetrace.model.raw import RESULT_UNKNOWN, Part, RawKind, Seen
from scopetrace.model.whole_call import FOUND, SIGNAL
from scopetrace.syscalls.packed import unpack_call
from support.packed_builder import pack_call, text


def test_a_call_keeps_its_arguments_and_memory(tracee, decoding):
    packed = pack_call([0x1000], [text(0, "/etc")])
    tracee.add(RawKind.CALL, call=0, transferred=80, result=0, elapsed=7, parts={Part.CALL: packed})

    made = decoding.one(CalledWhole)

    assert (made.abi, made.number, made.result, made.duration_ns) == (0, 80, 0, 7)
    assert unpack_call(0, 80, 0, made.data).memory == (text(0, "/etc"),)
    assert made.image.pid == tracee.pid


@pytest.mark.parametrize("abi", [0, 2, SIGNAL])
def test_a_call_that_did_not_return_has_no_result(tracee, decoding, abi):
    tracee.add(
        RawKind.CALL, call=abi, transferred=1, result=RESULT_UNKNOWN, parts={Part.CALL: b"\0"}
    )

    assert decoding.one(CalledWhole).result is None


def test_an_inherited_descriptor_is_passed_on(tracee, decoding):
    tracee.add(RawKind.FD, args=(1, Seen.INHERITED), parts={Part.LINK: b"/dev/null"})
    tracee.add(RawKind.FD, args=(5, Seen.IN_USE), parts={Part.LINK: b"/tmp/x"})

    (found,) = decoding.only(CalledWhole)

    assert (found.abi, found.number, found.data) == (FOUND, 1, b"/dev/null")
