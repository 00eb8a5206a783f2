"""`scopetrace save`."""

from __future__ import annotations

import re

import pytest


@pytest.fixture
def session(recorder):
    """A session of one line of text."""
    return recorder.record(recorder.event("stdout", "console", message="done\n"))


def test_the_last_session_or_another_is_copied(session, recorder, scopetrace, tmp_path):
    recorder.record()
    status, out, err = scopetrace("save", "1", "copy.db")

    assert (status, err) == (0, "")
    assert re.fullmatch(r"Wrote session 1 to copy\.db \(\d+ KiB\)\.\n", out)
    assert "message:done" in scopetrace("events", "-i", "./copy.db")[1]
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert scopetrace("save", "last.db")[1].startswith("Wrote session 2 to last.db ")
    assert scopetrace("save", "-f", "-i", "1", "copy.db")[1].startswith("Wrote session 1 to copy")
    assert {path.name for path in tmp_path.iterdir()} == {"copy.db", "last.db", "home"}


def test_redaction(session, scopetrace):
    assert scopetrace("save", "--redact", "copy.db")[0] == 0
    assert "message:[redacted]" in scopetrace("events", "-i", "./copy.db")[1]


def test_an_existing_file_is_replaced_only_by_force_and_a_link_never_followed(
    session, scopetrace, tmp_path
):
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "link").symlink_to("mine")

    for name in ("mine", "link"):
        assert scopetrace("save", name) == (
            1,
            "",
            f"scopetrace: {name} exists already: --force replaces it\n",
        )
    assert scopetrace("save", "-f", "link")[0] == 0
    assert (tmp_path / "mine").read_text() == "precious"
    assert not (tmp_path / "link").is_symlink()
    assert scopetrace("save", "-f", "mine")[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"link", "mine", "home"}


@pytest.mark.parametrize(
    ("args", "status", "sentence"),
    [
        (["1", "2", "x.db"], 2, "give the ID of one session, and one FILE"),
        (["-i", "1", "2", "x.db"], 2, "give the ID of one session, and one FILE"),
        (["12"], 2, "give a FILE for the copy of session 12"),
        (["7", "x.db"], 1, "no session 7; "),
        (["none/x.db"], 1, "cannot write none/x.db: No such file or directory"),
        (["-f", "."], 1, "cannot write .: it is not a file"),
        (["-f", "/dev/null"], 1, "cannot write /dev/null: it is not a file"),
        ([], 2, "missing argument '[ID] FILE'"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(session, scopetrace, args, status, sentence):
    got, out, err = scopetrace("save", *args)

    assert (got, out) == (status, "")
    assert err.startswith(f"scopetrace: {sentence}")
    assert len(err.splitlines()) == 1


def test_a_session_is_not_replaced_by_its_copy(session, scopetrace):
    status, out, err = scopetrace("save", "-f", "1", str(session.path))

    assert (status, out) == (2, "")
    assert err.endswith("is the session itself\n")
