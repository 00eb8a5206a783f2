from __future__ import annotations

import pytest

from scopetrace.cli.output_files import MOST_OPEN, FolderWriter, new_file
from scopetrace.errors import ScopeError


def test_a_file_is_closed_and_whole_after_an_error(tmp_path):
    with pytest.raises(KeyError), new_file(tmp_path / "f", force=False) as file:
        file.write(b"abc")
        raise KeyError

    assert file.closed
    assert (tmp_path / "f").read_bytes() == b"abc"


def test_a_reader_that_goes_away_stays_a_broken_pipe(tmp_path):
    with pytest.raises(BrokenPipeError), new_file(tmp_path / "f", force=False):
        raise BrokenPipeError


def test_a_folder_never_has_more_than_some_files_open(tmp_path):
    with FolderWriter(tmp_path / "x", force=False) as writer:
        for _ in range(3):
            for number in range(MOST_OPEN * 2):
                writer.add(f"{number}", b"ab")
                assert len(writer._open) <= MOST_OPEN

    assert {path.read_bytes() for path in (tmp_path / "x").iterdir()} == {b"ababab"}
    assert writer.sizes == {f"{number}": 6 for number in range(MOST_OPEN * 2)}


def test_what_a_folder_has_is_not_added_to(tmp_path):
    (tmp_path / "a").write_bytes(b"mine")

    with FolderWriter(tmp_path, force=False) as writer:
        assert writer.taken(["a", "b"]) == ["a"]
        with pytest.raises(ScopeError, match="a exists already"):
            writer.add("a", b"new")
    with FolderWriter(tmp_path, force=True) as writer:
        assert writer.taken(["a", "b"]) == []
        writer.add("a", b"new")

    assert (tmp_path / "a").read_bytes() == b"new"
