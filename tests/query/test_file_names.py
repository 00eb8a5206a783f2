"""Names of files, compared with those of a real folder."""

from __future__ import annotations

import ctypes
import os
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from scopetrace.query.file_names import FilesByName

AT_FDCWD = -100
RENAME_EXCHANGE = 2
LIBC = ctypes.CDLL(None, use_errno=True)


class Folder:
    """Does to a real folder what it reports to the names, as far as the kernel lets it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.names = FilesByName()

    def act(self, act: str, one: str, other: str) -> None:
        one, other = f"{self.root}/{one}", f"{self.root}/{other}"
        try:
            getattr(self, act)(one, other)
        except OSError:
            if act != "missed":
                self.names.at(one)  # it was looked for

    def create(self, one: str, _: str) -> None:
        os.close(os.open(one, os.O_CREAT | os.O_WRONLY))
        self.names.at(one).exists = True

    def mkdir(self, one: str, _: str) -> None:
        Path(one).mkdir()
        self.names.at(one).exists = True

    def remove(self, one: str, _: str) -> None:
        if Path(one).is_dir():
            Path(one).rmdir()
        else:
            Path(one).unlink()
        self.names.deleted(one)

    def rename(self, one: str, other: str) -> None:
        Path(one).rename(other)
        self.names.renamed(one, other)

    def link(self, one: str, other: str) -> None:
        os.link(one, other)
        self.names.linked(one, other)

    def exchange(self, one: str, other: str) -> None:
        paths = os.fsencode(one), os.fsencode(other)
        if LIBC.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], RENAME_EXCHANGE):
            raise OSError(ctypes.get_errno())
        self.names.exchanged(one, other)

    def compare(self) -> None:
        """Files that are there have the same record if, and only if, they are the same."""
        rows: dict[int, object] = {}
        for path in sorted(map(str, Path(self.root).rglob("*"))):
            file = self.names.at(path)
            assert rows.setdefault(os.lstat(path).st_ino, file) is file, path
            assert path == file.path or path in file.names
            assert file in list(self.names)
            if not Path(path).is_dir():
                assert file.links == os.lstat(path).st_nlink, path
        assert len(set(rows.values())) == len(rows)


PATHS = st.sampled_from(("a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a"))
ACTS = st.sampled_from(("create", "create", "mkdir", "remove", "rename", "link", "exchange"))


@given(st.lists(st.tuples(ACTS, PATHS, PATHS), min_size=3, max_size=40))
def test_names_lead_to_the_files_that_the_kernel_finds(
    acts: list[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(root)
        for act in acts:
            folder.act(*act)
            folder.compare()


def test_a_file_replaced_many_times_takes_no_longer_each_time() -> None:
    files = FilesByName()
    for number in range(30_000):
        files.at(f"/state.{number}").add_process(number)
        files.renamed(f"/state.{number}", "/state")

    (file,) = files
    assert (file.path, len(file.names), len(file.processes)) == ("/state", 30_000, 30_000)


def test_what_was_only_looked_for_in_a_folder_stays_where_it_was_looked_for() -> None:
    files = FilesByName()
    files.at("/tmp/build/made").exists = True
    files.at("/tmp/build/missed").errors = ("ENOENT",)
    files.renamed("/tmp/build", "/opt/app")

    assert {file.path for file in files} == {"/opt/app", "/opt/app/made", "/tmp/build/missed"}
    assert files.at("/opt/app/made").names == {"/tmp/build/made": None}
