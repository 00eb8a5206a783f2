from __future__ import annotations

import pytest

from scopetrace.model.operation import Noticed
from scopetrace.model.raw import Note, RawKind


@pytest.mark.parametrize("note", list(Note))
def test_each_note_is_a_sentence_about_the_process(tracee, decoding, note):
    tracee.add(RawKind.NOTE, args=(note, 3))

    notice = decoding.one(Noticed)

    assert "prog (100)" in notice.message
    assert notice.message[0].isupper() or notice.message.startswith("prog")
    assert not notice.message.endswith(".")
    assert notice.reason
    assert notice.times == 1


def test_a_program_with_many_rings_is_one_notice(tracee, decoding):
    for _ in range(26):
        tracee.add(RawKind.NOTE, args=(Note.IO_URING,))
    tracee.exec("/bin/next")
    tracee.add(RawKind.NOTE, args=(Note.IO_URING,))

    notices = [notice.message for notice in decoding.only(Noticed)]

    assert [message.split()[0] for message in notices] == ["prog", "next"]


def test_a_note_from_the_future_is_passed_on_by_number(tracee, decoding):
    tracee.add(RawKind.NOTE, args=(99,))

    assert "99" in decoding.one(Noticed).message


def test_a_name_with_braces_is_no_format(tracee, decoding):
    tracee.exec("/bin/{pid}")
    tracee.add(RawKind.NOTE, args=(Note.STRICT,))

    assert "(100)" in decoding.one(Noticed).message
