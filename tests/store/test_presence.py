"""A session file is in place while it has its name, and neither it nor its log was cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.store.presence import Log, Presence


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a file of 100 bytes with a log of 64, whose salt is `salt`."""
    path = tmp_path / "1.db"
    path.write_bytes(bytes(100))
    write_log(path, b"salt", 64)
    return path


def write_log(path: Path, salt: bytes, size: int) -> None:
    Path(f"{path}-wal").write_bytes((bytes(16) + salt).ljust(size, b"\0"))


def test_a_file_that_grows_is_in_place(path):
    presence = Presence(path)

    path.write_bytes(bytes(200))

    assert presence.is_in_place() and presence.has_name()


def test_a_file_that_was_cut_is_not_but_has_its_name(path):
    presence = Presence(path)

    path.write_bytes(bytes(99))

    assert not presence.is_in_place()
    assert presence.has_name()


def test_another_file_of_the_name_is_not_the_one_that_was_opened(path):
    presence = Presence(path)

    path.rename(path.with_name("2.db"))
    assert not presence.is_in_place()
    path.write_bytes(bytes(100))

    assert not presence.is_in_place()
    assert not presence.has_name()


@pytest.mark.parametrize(
    ("salt", "size", "is_cut"),
    [(b"salt", 64, False), (b"salt", 40, True), (bytes(4), 40, True), (b"pepr", 40, False)],
)
def test_a_log_is_cut_if_it_is_shorter_and_not_made_anew(path, salt, size, is_cut):
    presence = Presence(path)

    write_log(path, salt, size)
    presence.look_at_log(Log.of(path))

    assert presence.log_is_cut == is_cut
    presence.begin_log()
    assert not presence.log_is_cut


def test_a_log_that_is_not_there_has_no_bytes(tmp_path):
    assert Log.of(tmp_path / "none.db") == Log(0, b"")
