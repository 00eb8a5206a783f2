from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scopetrace.model.names import group_name, user_name
from scopetrace.model.process import ProcessEnd
from scopetrace.model.raw import Note, Part, RawKind
from scopetrace.query import open_session
from scopetrace.store.sessions import SessionStore
from support.raw_builder import MILLISECOND, Tracee, pack_record, started_program
from support.raw_strategies import any_record
from support.recording import Recording

SECOND = 1000 * MILLISECOND
LIMITED = "event: {format: {maxeventpersec: 3}}\n"


@pytest.fixture
def tracee() -> Tracee:
    tracee = Tracee()
    tracee.inherit(1, "/dev/pts/0")
    tracee.exec("/usr/bin/prog", "prog", "x")
    return tracee


def test_a_process_has_its_row_before_its_events(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.fork(200)
    tracee.open("/x", 3, pid=200)
    recording.go()

    processes = recording.writer.processes
    assert [(p.pid, p.proc, p.args) for p in processes.values()] == [
        (100, "prog", ("prog", "x")),
        (200, "prog", ("prog", "x")),
    ]
    parent, child = processes.values()
    assert child.parent == parent.id
    assert child.ppid == parent.pid


def test_the_row_of_a_process_says_whose_it_is(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    recording.go()

    (process,) = recording.writer.processes.values()
    assert (process.uid, process.gid) == (1000, 1001)
    assert (process.username, process.groupname) == (user_name(1000), group_name(1001))
    assert process.username != process.groupname


def test_what_was_before_the_first_exec_leaves_no_row(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    recording.go()

    (process,) = recording.writer.processes.values()
    assert process.proc == "prog"
    assert recording.writer.ends == []


def test_a_stranger_has_a_row_once_it_does_something(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.found(3, "/x", pid=900)
    recording.go()
    assert len(recording.writer.processes) == 1

    tracee.call("unlink", pid=900, parts={Part.PATH: b"/x"})
    recording.go()
    assert [process.pid for process in recording.writer.processes.values()] == [100, 900]


def test_images_end_by_exec_exit_or_signal(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.exec("/bin/next")
    exec_ns = tracee.now
    tracee.fork(200)
    tracee.exit(9, pid=200)
    killed_ns = tracee.now
    tracee.exit(1 << 8)
    recording.go()

    first, second, third = recording.writer.processes
    assert recording.writer.ends == [
        ProcessEnd(first, exec_ns, None, None, True),
        ProcessEnd(third, killed_ns, None, 9, False),
        ProcessEnd(second, tracee.now, 1, None, False),
    ]


def test_a_sync_record_requests_a_commit(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.write(1, b"last words")
    assert not recording.pipeline.sync_requested

    tracee.add(RawKind.SYNC)
    events = recording.of("console")

    assert recording.pipeline.sync_requested
    assert [event.data["message"] for event in events] == ["last words"]


def test_the_engines_counts_are_kept(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.add(RawKind.END, args=(10, 2, 3_000_000, 0, 0, 7))

    [notice] = [event for event in recording.finish() if event.source == "notice"]
    assert notice.data["message"] == (
        "The program waited 3 ms in all, 2 times, until recording had caught up"
    )
    counts = recording.pipeline.counts
    assert counts is not None
    assert (counts.stops, counts.waits, counts.waited_ns, counts.recorded) == (10, 2, 3_000_000, 7)


def test_what_could_not_be_recorded_is_reported_at_the_end(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.records.append(
        pack_record(RawKind.FD, at=tracee.now, args=(5,), parts={Part.STAT: b"bad"})
    )
    tracee.add(RawKind.END, args=(0, 0, 0, 5, 6, 0))

    notices = [e.data for e in recording.finish() if e.source == "notice"]

    assert [(data["reason"], data["count"]) for data in notices] == [
        ("misunderstood", 1),
        ("lost", 6),
        ("unreadable", 5),
    ]


def test_a_broken_batch_is_counted_and_the_next_is_taken(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    tracee.records.append(b"half a header")
    recording.go()
    tracee.call("unlink", parts={Part.PATH: b"/x"})

    assert [event.source for event in recording.finish()] == ["fs.delete", "notice"]


def test_a_session_without_any_program_ends_quietly(tmp_path):
    recording = Recording(Tracee(), tmp_path)
    recording.tracee.add(RawKind.END, args=(0, 0, 0, 5, 6, 0))

    assert recording.finish() == []


def test_too_many_events_of_one_second_are_dropped_and_counted(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, LIMITED)
    tracee.fork(200)
    recording.go()
    tracee.now = 10 * SECOND
    for number in range(10):
        tracee.call("unlink", parts={Part.PATH: b"/x%d" % number})
    tracee.call("unlink", pid=200, parts={Part.PATH: b"/other"})
    tracee.now = 11 * SECOND
    tracee.call("unlink", parts={Part.PATH: b"/later"})

    events = recording.go()

    deleted = [event.data["file"] for event in events if event.source == "fs.delete"]
    assert deleted == ["/x0", "/x1", "/x2", "/other", "/later"]
    (notice,) = [event for event in events if event.source == "notice"]
    assert (notice.data["reason"], notice.data["count"]) == ("maxeventpersec", 7)
    assert "prog (100)" in notice.data["message"]
    assert notice.time_ns // SECOND == 10


@pytest.mark.parametrize("end", ["tick", "finish", "exit"])
def test_what_was_dropped_is_reported_even_without_a_further_event(tracee, tmp_path, end):
    recording = Recording(tracee, tmp_path, LIMITED)
    for _ in range(10):
        tracee.call("unlink", parts={Part.PATH: b"/x"})
    recording.go()
    if end == "tick":
        recording.pipeline.tick(tracee.now + SECOND)
    elif end == "finish":
        recording.pipeline.finish(tracee.now)
    else:
        tracee.exit()
        recording.go()

    notices = [e for e in recording.writer.events if e.source == "notice"]
    assert len(notices) == 1


def test_notices_are_never_dropped(tracee, tmp_path):
    recording = Recording(tracee, tmp_path, LIMITED)
    for _ in range(10):
        tracee.add(RawKind.NOTE, args=(Note.PTRACE,))

    assert len([e for e in recording.go() if e.source == "notice"]) == 10


def test_a_custom_entry_changes_the_rules_of_its_processes(tracee, tmp_path):
    quiet = (
        "custom:\n  quiet:\n    filter: {procname: quiet}\n"
        "    config: {event: {enable: false}}\n"
        "  kin:\n    filter: {ancestor: quiet}\n    config: {event: {format: {enhancefs: false}}}\n"
    )
    recording = Recording(tracee, tmp_path, quiet)
    tracee.open("/a", 3)
    tracee.fork(200)
    tracee.exec("/bin/quiet", pid=200)
    tracee.open("/b", 3, pid=200)
    tracee.fork(300, pid=200)
    tracee.exec("/bin/loud", pid=300)
    tracee.open("/c", 3, pid=300)

    opens = recording.of("fs.open")

    assert [event.data["file"] for event in opens] == ["/a", "/c"]
    assert "file_perms" in opens[0].data
    assert "file_perms" not in opens[1].data


def test_fields_and_values_are_left_to_the_rules(tracee, tmp_path):
    recording = Recording(
        tracee, tmp_path, "event:\n  watch:\n    - {type: fs, field: '^(file|fd)$', value: etc}\n"
    )
    tracee.open("/etc/x", 3)
    tracee.open("/usr/x", 4)

    assert [event.data for event in recording.go()] == [{"file": "/etc/x", "fd": 3}]


def test_a_session_file_holds_what_the_records_meant(tracee, tmp_path):
    recording = Recording(tracee, tmp_path)
    store = SessionStore(tmp_path / "home")
    writer = store.create("prog", ("prog", "x"))
    recording.pipeline._writer = writer
    tracee.open("/tmp/odd\nname", 3)
    tracee.call("unlink", parts={Part.PATH: b"/tmp/\xff"})
    tracee.exit()
    recording.pipeline.feed(tracee.take())
    recording.pipeline.finish(tracee.now)
    writer.finish("finished", exit_code=0)

    session = open_session(writer.path)

    files = [event.data["file"] for event in session.events(sourcetype=("fs",))]
    assert files == ["/tmp/odd\nname", "/tmp/\udcff", "/tmp/odd\nname"]
    assert [event.proc for event in session.events(source=("proc.exit",))] == ["prog"]


@settings(max_examples=150)
@given(st.lists(any_record(), max_size=30))
def test_any_records_in_any_order_can_be_recorded(tmp_path_factory, records):
    recording = Recording(Tracee(), tmp_path_factory.mktemp("config"))
    recording.tracee.records = records

    recording.finish()

    assert recording.pipeline._decoder.first_misunderstood == ""


class Family:
    """Processes that open, write and close one log; knows how many bytes they wrote."""

    def __init__(self) -> None:
        self.tracee = Tracee()
        self.tracee.exec("/bin/first")
        self.fds: dict[int, list[int]] = {100: []}
        self.written = 0

    def act(self, action: str, pid: int) -> None:
        """Have one process do something, if it lives and can."""
        if pid in self.fds and (self.fds[pid] or action not in ("write", "close", "dup")):
            getattr(self, action)(pid)

    def open(self, pid: int) -> None:
        self.tracee.open("/var/log/x", self._free(pid), pid=pid)
        self.fds[pid].append(self._free(pid))

    def dup(self, pid: int) -> None:
        self.tracee.call("dup", self.fds[pid][0], result=self._free(pid), pid=pid)
        self.fds[pid].append(self._free(pid))

    def write(self, pid: int) -> None:
        fd = self.fds[pid][0]
        self.tracee.write(fd, b"line\n", pid=pid)
        self.tracee.tally(fd, 0, 0, 0, 1, 5, 1, pid=pid)
        self.written += 5

    def close(self, pid: int) -> None:
        self.tracee.close(self.fds[pid].pop(), pid=pid)

    def fork(self, pid: int) -> None:
        child = max(self.fds) + 1
        self.tracee.fork(child, pid=pid)
        self.fds[child] = list(self.fds[pid])

    def exec(self, pid: int) -> None:
        self.tracee.exec("/bin/again", pid=pid, fds=self.fds[pid])

    def exit(self, pid: int) -> None:
        self.tracee.exit(pid=pid)
        del self.fds[pid]

    def wait(self, pid: int) -> None:
        self.tracee.now += SECOND

    def _free(self, pid: int) -> int:
        return next(fd for fd in range(3, 200) if fd not in self.fds[pid])


ACTIONS = st.sampled_from(["open", "write", "close", "fork", "exec", "exit", "dup", "wait"])


@settings(max_examples=60)
@given(st.lists(st.tuples(ACTIONS, st.integers(100, 103)), max_size=60))
def test_bytes_written_and_bytes_emitted_are_the_same(tmp_path_factory, actions):
    family = Family()
    recording = Recording(family.tracee, tmp_path_factory.mktemp("config"))
    for action, pid in actions:
        if len(family.fds) > 1 or action != "exit":
            family.act(action, pid)
    for pid in list(family.fds):
        family.exit(pid)

    events = recording.finish()

    messages = [event.data["message"] for event in events if event.sourcetype == "file"]
    closes = [event for event in events if event.source == "fs.close"]
    opens = [event for event in events if event.source == "fs.open"]
    assert sum(map(len, messages)) == family.written
    assert sum(event.data["file_write_bytes"] for event in closes) == family.written
    assert {event.channel for event in opens} == {event.channel for event in closes}


def test_tags_are_those_of_the_rules_of_each_process(tmp_path):
    config = (
        "tags: {stage: test}\n"
        "custom: {x: {filter: {procname: child}, config: {tags: {stage: other}}}}\n"
    )
    tracee = started_program()
    tracee.fork(200)
    tracee.exec("/usr/bin/child", "child", pid=200)
    recording = Recording(tracee, tmp_path, config)
    recording.go()

    tags = {process.proc: process.tags for process in recording.writer.processes.values()}
    assert tags["child"] == {"stage": "other"}
    assert tags["prog"] == {"stage": "test"}
