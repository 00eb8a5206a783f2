"""The texts about system calls and errors: they are complete, and about what there is."""

from __future__ import annotations

import errno

import pytest

from scopetrace import _engine
from scopetrace.explain.sentence import FIELD
from scopetrace.explain.texts import calls, errors, names, sentences
from scopetrace.explain.values import AS_PRINTED, COMPUTED, MEANING
from scopetrace.output.syscall_prototypes import prototype
from scopetrace.syscalls.rows import named, rows

NUMBERS = set(_engine.abis()[0][2])
"""The calls of this CPU's own ABI."""
SENTENCE_END = (".", "?", ")")


def test_each_text_about_a_call_is_about_one_that_there_is() -> None:
    assert len(calls()) >= 120
    assert [name for name in calls() if prototype(name) is None] == []


@pytest.mark.parametrize("text", calls().values(), ids=lambda text: text.name)
def test_a_call_has_a_sentence_and_leads_to_others(text) -> None:
    assert text.does[0].isupper() and text.does.endswith(SENTENCE_END)
    assert text.returns and not text.returns.endswith(".")
    assert set(text.see) <= calls().keys() - {text.name}


@pytest.mark.parametrize("text", errors().values(), ids=lambda text: text.name)
def test_an_error_has_its_number_and_two_sentences(text) -> None:
    assert text.number == getattr(errno, text.name)
    assert text.means.endswith(".")
    assert text.look[0].isalnum() or text.look[0] == "/"
    assert text.look.endswith(SENTENCE_END)


def test_the_errors_that_programs_meet_are_explained() -> None:
    assert len(errors()) >= 60
    usual = (
        "EPERM ENOENT EINTR EBADF EAGAIN EACCES EEXIST ENOTDIR EISDIR EINVAL EMFILE ENOSPC EPIPE"
    )
    network = "EADDRINUSE ECONNREFUSED ECONNRESET ETIMEDOUT EINPROGRESS ENETUNREACH ENOTCONN"
    assert set(f"{usual} {network}".split()) <= errors().keys()


def test_each_call_that_a_recording_can_be_about_is_explained() -> None:
    watched = {name.partition("__")[0] for name, *_ in _engine.calls()}
    assert (watched & NUMBERS) - calls().keys() == set()


def test_enough_calls_have_a_sentence_of_their_own() -> None:
    assert len(sentences()) >= 120


@pytest.mark.parametrize("name", sentences())
def test_a_sentence_has_only_values_that_its_call_has(name: str) -> None:
    found = named({"send": "sendto", "recv": "recvfrom"}.get(name, name))  # of socketcall(2)
    arguments = {argument.name for row in found for argument in row.arguments}
    others = {argument.name for row in rows() for argument in row.arguments}
    for row in sentences()[name]:
        optional = row.what.count("[") + row.then.count("[")
        for value in FIELD.findall(row.what + row.then):
            value = value.removeprefix(AS_PRINTED).removeprefix(MEANING)
            known = value in COMPUTED or value in arguments
            assert known or (optional and value in others), (row, value)


def test_each_sentence_is_about_a_call_of_the_table() -> None:
    assert [name for name in sentences().keys() - {"send", "recv"} if not named(name)] == []


@pytest.mark.parametrize("name", names())
def test_a_meaning_is_part_of_a_sentence(name: str) -> None:
    meaning = names()[name]
    assert meaning and not meaning.endswith(".")
