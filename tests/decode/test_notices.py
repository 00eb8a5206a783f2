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


@pytest.mark.parametrize(
    ("note", "why", "clause"),
    [
        (Note.IO_URING, 1, "IORING_SETUP_SQPOLL"),
        (Note.IO_URING, 4, "the kernel chooses which buffers"),
        (Note.IO_URING, 6, "IOSQE_CQE_SKIP_SUCCESS"),
        (Note.IO_URING, 7, "used again before they could be read"),
        (Note.IO_URING, 9, "how is not known"),
        (Note.UNGATED, 2, "the base of gs, which"),
        (Note.UNGATED, 4, "PR_SET_SYSCALL_USER_DISPATCH"),
        (Note.UNGATED, 5, "PR_SET_DUMPABLE"),
        (Note.UNGATED, 9, "why is not known"),
    ],
)
def test_a_note_says_why_by_the_number_of_the_engine(tracee, decoding, note, why, clause):
    tracee.add(RawKind.NOTE, args=(note, why))

    assert clause in decoding.one(Noticed).message


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
