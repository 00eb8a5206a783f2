from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from scopetrace.decode.fd_tables import FdTable
from scopetrace.decode.files import DecodedFile

FDS = st.integers(0, 6)


def new_file(name: str = "/f") -> DecodedFile:
    return DecodedFile(name, None, 1)


def test_the_last_fd_of_a_file_ends_it():
    table, file = FdTable(), new_file()
    table.open(3, file, False)
    table.duplicate(3, 4, False)

    assert table.close(3) is None
    gone = table.close(4)

    assert gone is not None
    assert gone[0] is file


def test_a_copied_table_has_used_nothing_yet():
    table, file = FdTable(), new_file()
    table.open(3, file, False)

    copy = table.copy()

    assert copy.fds == {3: file}
    assert copy.close(3) is None


def test_a_copied_table_closes_at_exec_what_was_marked_in_it_and_not_in_the_other():
    table = FdTable()
    for fd in (3, 4, 5):
        table.open(fd, new_file(), cloexec=fd == 3)

    copy = table.copy()
    copy.cloexec.add(4)
    table.cloexec.add(5)

    assert (table.cloexec, copy.cloexec) == ({3, 5}, {3, 4})


def test_a_file_used_after_a_fork_ends_with_its_last_fd_there():
    table, file = FdTable(), new_file()
    table.open(3, file, False)
    table.duplicate(3, 4, False)
    copy = table.copy()

    copy.use(file).add((1, 10, 5, 0, 0, 0))

    assert copy.close(4) is None
    gone = copy.close(3)
    assert gone is not None
    assert gone[1].read_bytes == 10
    assert not gone[1].opened


def test_a_dup_onto_itself_changes_nothing():
    table, file = FdTable(), new_file()
    table.open(3, file, True)

    assert table.duplicate(3, 3, False) is None
    assert table.fds == {3: file}
    assert table.cloexec == {3}


def test_the_flag_to_close_at_exec_is_not_copied_by_dup():
    table = FdTable()
    table.open(3, new_file(), True)
    table.duplicate(3, 4, False)
    table.duplicate(3, 5, True)

    assert table.cloexec == {3, 5}


def test_a_range_is_found_whether_it_is_wide_or_narrow():
    table = FdTable()
    for fd in (9, 3, 5):
        table.open(fd, new_file(), False)

    assert table.within(4, 0xFFFFFFFF) == [5, 9]
    assert table.within(5, 5) == [5]
    assert table.within(9, 3) == []


class Tables(RuleBasedStateMachine):
    """Tables against the simplest thing that could be right: a list of (fd, file) each.

    The reference counts fds anew at every close, and knows which files were opened through a table.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tables = [FdTable()]
        self.known: list[dict[int, DecodedFile]] = [{}]
        self.opened: list[set[DecodedFile]] = [set()]

    def pick(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.tables) - 1))

    def expect_gone(self, which: int, fd: int) -> DecodedFile | None:
        """Close in the reference; return the file if that should be emitted."""
        file = self.known[which].pop(fd, None)
        if file is None or file in self.known[which].values() or file not in self.opened[which]:
            return None
        self.opened[which].discard(file)
        return file

    @rule(data=st.data(), fd=FDS)
    def open(self, data: st.DataObject, fd: int) -> None:
        which, file = self.pick(data), new_file()
        expected = self.expect_gone(which, fd)
        gone = self.tables[which].open(fd, file, False)
        assert (gone and gone[0]) is expected
        self.known[which][fd] = file
        self.opened[which].add(file)

    @rule(data=st.data(), old=FDS, new=FDS)
    def dup2(self, data: st.DataObject, old: int, new: int) -> None:
        which = self.pick(data)
        file = self.known[which].get(old)
        if file is None or old == new:
            return
        expected = self.expect_gone(which, new)
        gone = self.tables[which].duplicate(old, new, False)
        assert (gone and gone[0]) is expected
        self.known[which][new] = file

    @rule(data=st.data(), fd=FDS)
    def close(self, data: st.DataObject, fd: int) -> None:
        which = self.pick(data)
        expected = self.expect_gone(which, fd)
        gone = self.tables[which].close(fd)
        assert (gone and gone[0]) is expected

    @rule(data=st.data(), fd=FDS)
    def use(self, data: st.DataObject, fd: int) -> None:
        which = self.pick(data)
        file = self.known[which].get(fd)
        if file is not None:
            self.tables[which].use(file)
            self.opened[which].add(file)

    @rule(data=st.data())
    def fork(self, data: st.DataObject) -> None:
        which = self.pick(data)
        if len(self.tables) < 4:
            self.tables.append(self.tables[which].copy())
            self.known.append(dict(self.known[which]))
            self.opened.append(set())

    @invariant()
    def tables_agree(self) -> None:
        for table, known, opened in zip(self.tables, self.known, self.opened, strict=True):
            assert table.fds == known
            assert set(table.usages) == opened


Tables.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestTables = Tables.TestCase
