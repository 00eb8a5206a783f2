"""The engine through its Python interface: modes, limits and back-pressure, as raw records."""

from __future__ import annotations

import errno
import mmap
import struct
import subprocess
import time
from pathlib import Path

import pytest

from scopetrace import _engine
from scopetrace.model.raw import PART_CUT, Part, RawKind, RawRecord, unpack_batch
from support.engine_run import (
    CALLS,
    EVERYTHING,
    MODE_ALL,
    MODE_FAILURES,
    calls,
    engine_run,
    of_kind,
)
from support.harness import Compile, wait_for
from support.interpreter import python
from support.raw_builder import strings

MAP_FIXED, MAP_DENYWRITE = 0x10, 0x800
OPENS = ("open", "openat", "openat2", "creat")


def test_with_all_groups_off_only_programs_and_tasks_are_recorded(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    records, output = engine_run([compile_tracee("children")], tmp_path, modes={})

    assert output.count(b"proc.fork") == 6
    assert len(of_kind(records, RawKind.EXEC)) == 2
    assert len(of_kind(records, RawKind.FORK)) == 6
    assert of_kind(records, RawKind.SYSCALL) == []


def test_in_the_mode_of_failures_only_failures_are_recorded(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    records, _ = engine_run([compile_tracee("opens")], tmp_path, modes={"open": MODE_FAILURES})

    results = [record.result for record in calls(records, *OPENS)]
    assert len(results) >= 6
    assert all(result < 0 for result in results)


def test_a_mapped_library_is_recorded_once(compile_tracee: Compile, tmp_path: Path) -> None:
    """The loader maps parts of it over the first mapping: these make no stop."""
    records, _ = engine_run([compile_tracee("mapped")], tmp_path, modes={"map": MODE_ALL})

    flags = [record.argument(4) for record in calls(records, "mmap")]
    libraries = [each for each in flags if each & MAP_DENYWRITE]
    assert len(libraries) == 2, "libc, and the one of the tracee"
    assert not any(each & MAP_FIXED for each in libraries)
    assert [each for each in flags if each & MAP_FIXED] == [MAP_FIXED | mmap.MAP_PRIVATE]


def test_a_full_ring_makes_the_program_wait_and_loses_nothing(tmp_path: Path) -> None:
    blocks, block, written = 200, 65536, tmp_path / "written"

    def program_waits() -> bool:
        before = written.stat().st_size if written.exists() else 0
        time.sleep(0.2)
        return 0 < before == written.stat().st_size < blocks * block

    copy = ["dd", "if=/dev/zero", f"of={written}", f"bs={block}", f"count={blocks}", "status=none"]
    records, _ = engine_run(
        ["/usr/bin/env", *copy],
        tmp_path,
        args_limit=0,
        env_limit=0,
        ring_size=1 << 20,
        before_reading=lambda _: wait_for(program_waits, "the ring to be full"),
    )

    sizes = [len(record.parts()[Part.DATA]) for record in calls(records, "write")]
    assert sizes == [block] * blocks
    _stops, waits, waited_ns, _unreadable, lost, recorded = records[-1].args
    assert waits > 0
    assert waited_ns > 0
    assert lost == 0
    assert recorded == len(records) - 1


def test_records_are_read_at_once_when_the_program_waits_for_that(tmp_path: Path) -> None:
    """However long the reader would wait for more of them: the end of a program waits for it."""
    patience_s = 50
    waited_s: list[float] = []

    def read_patiently(engine: _engine.Engine) -> None:
        since = time.monotonic()
        found: list[RawRecord] = []
        while not of_kind(found, RawKind.SYNC):
            found += unpack_batch(engine.read(enough=1 << 20, timeout_ms=patience_s * 1000))
        waited_s.append(time.monotonic() - since)
        engine.acknowledge()

    engine_run(["/usr/bin/env", "true"], tmp_path, before_reading=read_patiently)

    assert waited_s[0] < patience_s


def test_a_large_ring_takes_a_burst_without_a_wait(tmp_path: Path) -> None:
    blocks, block, most = 300, 65536, 200_000
    written = tmp_path / "written"
    engines: list[_engine.Engine] = []
    first: list[bytes] = []

    def read_first(engine: _engine.Engine) -> None:
        size = blocks * block
        wait_for(lambda: written.exists() and written.stat().st_size == size, "all to be written")
        engines.append(engine)
        first.append(engine.read(most=most))

    copy = ["dd", "if=/dev/zero", f"of={written}", f"bs={block}", f"count={blocks}", "status=none"]
    records, _ = engine_run(
        ["/usr/bin/env", *copy], tmp_path, ring_size=1 << 26, before_reading=read_first
    )

    assert most - block < len(first[0]) <= most
    records = [*unpack_batch(first[0]), *records]
    sizes = [len(record.parts()[Part.DATA]) for record in calls(records, "write")]
    assert sizes == [block] * blocks
    _stops, waits, _waited_ns, _unreadable, lost, recorded = records[-1].args
    assert (waits, lost, recorded) == (0, 0, len(records) - 1)


def test_a_large_ring_that_is_full_loses_nothing_of_what_is_written_behind_a_read(
    tmp_path: Path,
) -> None:
    blocks, block, written = 24_000, 512, tmp_path / "written"
    parts: list[bytes] = []

    def program_waits() -> bool:
        before = written.stat().st_size if written.exists() else 0
        time.sleep(0.2)
        return 0 < before == written.stat().st_size

    def read_twice(engine: _engine.Engine) -> None:
        for most in (5_000_000, 2_000_000):
            wait_for(program_waits, "the ring to be full")
            parts.append(engine.read(most=most))

    copy = ["dd", "if=/dev/zero", f"of={written}", f"bs={block}", f"count={blocks}", "status=none"]
    records, _ = engine_run(
        ["/usr/bin/env", *copy], tmp_path, ring_size=1 << 23, before_reading=read_twice
    )

    records = [*(record for part in parts for record in unpack_batch(part)), *records]
    sizes = [len(record.parts()[Part.DATA]) for record in calls(records, "write")]
    assert sizes == [block] * blocks
    _stops, waits, _waited_ns, _unreadable, lost, recorded = records[-1].args
    assert waits > 0
    assert (lost, recorded) == (0, len(records) - 1)


SMALL_ADDRESS_SPACE = """
import resource
from pathlib import Path
from scopetrace import _engine
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (24 << 20),) * 2)
engine = _engine.Engine({}, ring_size=1 << 30)
print(engine.read(timeout_ms=0))
"""


def test_where_address_space_is_limited_the_ring_is_smaller() -> None:
    ran = subprocess.run(
        [python(), "-P", "-c", SMALL_ADDRESS_SPACE], capture_output=True, text=True
    )

    assert (ran.stdout, ran.stderr) == ("b''\n", "")


def test_a_program_that_waits_for_its_children_is_not_in_a_storm_of_signals(tmp_path: Path) -> None:
    """Each SIGCHLD comes at the same instruction, and none of them is delivered later for that."""
    count = 300
    loop = f"i=0; while [ $i -lt {count} ]; do ( : ); i=$((i + 1)); done"

    records, _ = engine_run(["/bin/sh", "-c", loop], tmp_path, modes={})

    assert len(of_kind(records, RawKind.FORK)) == count
    stops = records[-1].args[0]
    of_each = ("fork", "first stop", "exit", "SIGCHLD")
    assert stops < count * (len(of_each) + 1)


@pytest.mark.parametrize("snaplen", [1, 100, 4096, 65536])
def test_no_more_than_the_limit_is_copied_of_a_write(
    snaplen: int, compile_tracee: Compile, tmp_path: Path
) -> None:
    records, _ = engine_run([compile_tracee("big_write")], tmp_path, snaplen=snaplen)

    big = max(calls(records, "write"), key=lambda record: record.transferred)
    assert big.result == 3 << 20
    assert len(big.parts()[Part.DATA]) == snaplen
    assert big.flags()[Part.DATA] & PART_CUT


@pytest.mark.parametrize(("snaplen", "cut"), [(0, True), (4, True), (6, True), (4096, False)])
def test_a_vector_is_cut_between_buffers_as_within_one(
    snaplen: int, cut: bool, compile_tracee: Compile, tmp_path: Path
) -> None:
    records, _ = engine_run([compile_tracee("vectors")], tmp_path, snaplen=snaplen)

    (gathered,) = [r for r in calls(records, "writev") if r.transferred == 4096]
    assert len(gathered.parts()[Part.DATA]) == snaplen
    assert bool(gathered.flags().get(Part.DATA, 0) & PART_CUT) == cut


def test_no_more_of_an_address_is_copied_than_the_kernel_wrote(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    records, _ = engine_run([compile_tracee("short_address")], tmp_path)

    taken = calls(records, "recvfrom", "recvmsg", "recvmmsg", "accept")
    given = [record.parts().get(Part.ADDRESS, b"") for record in taken]
    assert [len(each) for each in given] == [0, 4, 16, 0, 4, 16, 0, 0, 4, 4, 16, 16, 2]
    assert b"\xff\xff" not in b"".join(given)


def test_every_call_and_exec_lies_within_the_run(compile_tracee: Compile, tmp_path: Path) -> None:
    began_ns = time.monotonic_ns()
    records, _ = engine_run([compile_tracee("execs")], tmp_path)
    ended_ns = time.monotonic_ns()

    timed = of_kind(records, RawKind.EXEC) + of_kind(records, RawKind.SYSCALL)
    assert len(of_kind(records, RawKind.EXEC)) == 2
    assert all(
        began_ns < each.entered_ns <= each.entered_ns + each.elapsed_ns < ended_ns for each in timed
    )


def test_an_error_that_is_none_makes_no_record(compile_tracee: Compile, tmp_path: Path) -> None:
    records, _ = engine_run([compile_tracee("retried")], tmp_path)

    failed = [(r.result, CALLS[r.syscall].name) for r in calls(records, "accept", "readlink")]
    assert failed == [(-errno.ENOENT, "readlink")]


@pytest.mark.parametrize(("counts", "found"), [(True, [2, 3, 4, 5]), (False, [])])
def test_counted_calls_are_flushed_at_each_exec_and_exit(
    counts: bool, found: list[int], compile_tracee: Compile, tmp_path: Path
) -> None:
    records, _ = engine_run([compile_tracee("counted")], tmp_path, counts=counts)

    counted = [r for r in of_kind(records, RawKind.COUNT) if CALLS[r.syscall].name == "lseek"]
    assert sorted(record.argument(1) for record in counted) == found


def test_tracing_that_is_ended_on_request_is_no_error(tmp_path: Path) -> None:
    program = ["/bin/sh", "-c", "while cd .; do :; done"]

    records, _ = engine_run(program, tmp_path, before_reading=_engine.Engine.stop_tracing)

    assert records[-1].kind == RawKind.END


def test_a_ring_that_is_too_small_is_refused() -> None:
    with pytest.raises((ValueError, OSError)):
        _engine.Engine(EVERYTHING, ring_size=4096)
    with pytest.raises((ValueError, OSError)):
        _engine.Engine(EVERYTHING, ring_size=1 << 22, args_limit=3 << 20)


@pytest.mark.parametrize(
    ("args_limit", "kept"), [(0, 0), (9, 0), (10, 1), (17, 1), (18, 2), (19, 2), (24, 3), (25, 4)]
)
def test_arguments_are_kept_whole_and_those_beyond_the_limit_counted(
    args_limit: int, kept: int, tmp_path: Path
) -> None:
    argv = ["/bin/true", "1234567", "12345", ""]

    records, _ = engine_run(argv, tmp_path, args_limit=args_limit)

    program = of_kind(records, RawKind.EXEC)[-1]
    assert program.parts()[Part.ARGV] == strings(*argv[:kept])
    assert program.arg2 == len(argv) - kept
    assert (Part.ARGV in program.flags()) == (kept < len(argv))


@pytest.mark.parametrize("most", [1 << 21, 16384, 65536, 100_000])
def test_a_command_line_of_megabytes_is_kept_as_far_as_it_may_be(most: int, tmp_path: Path) -> None:
    argv = ["/bin/true", *(f"{number:0{number % 200}}" for number in range(15_000)), "x" * 130_000]
    whole = strings(*argv)

    records, _ = engine_run(argv, tmp_path, args_limit=most, ring_size=1 << 22)

    program = of_kind(records, RawKind.EXEC)[-1]
    assert len(whole) > 1_500_000
    assert program.parts()[Part.ARGV] == whole[: whole.rfind(b"\0", 0, most) + 1]
    assert program.parts()[Part.ARGV].count(b"\0") + program.arg2 == len(argv)


def test_variables_beyond_the_limit_are_counted(tmp_path: Path) -> None:
    argv = ["/usr/bin/env", "-i", "A=1234", "LONG=" + "x" * 40_000, "B=1", "/bin/true"]

    records, _ = engine_run(argv, tmp_path, environment=True, env_limit=30_000)

    program = of_kind(records, RawKind.EXEC)[-1]
    assert program.parts()[Part.ENVIRON] == strings("A=1234")
    assert program.arg3 == 2


def test_tracing_a_process_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ProcessLookupError):
        _engine.Engine({}).run(2**22 - 1, -1)


def test_records_of_a_child_come_after_its_fork(compile_tracee: Compile, tmp_path: Path) -> None:
    records, _ = engine_run([compile_tracee("exit_storm"), "200"], tmp_path)

    born = {records[0].tid}
    for record in records[:-1]:
        if record.kind == RawKind.FORK:
            born.add(record.result)
        assert record.tid in born


def test_the_filter_stops_watched_calls_only() -> None:
    program = _engine.build_filter({"open": MODE_ALL})
    watched = {call.name for call in CALLS if call.group == "open" and "__" not in call.name}

    (name, audit, numbers), *_ = _engine.abis()
    assert name == "x86_64"
    stopped = {call for call, number in numbers.items() if run_filter(program, audit, number)}
    assert stopped == watched | {"execve"}
    assert not run_filter(program, audit, 110)  # getppid


def run_filter(program: bytes, audit: int, number: int) -> bool:
    """Run a seccomp program on a call with arguments of 0; return whether the call stops."""
    code = list(struct.iter_unpack("=HBBI", program))
    data = struct.pack("=iIQ6Q", number, audit, 0, *[0] * 6)
    accumulator = at = 0
    while True:
        opcode, when_true, when_false, k = code[at]
        at += 1
        if opcode == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("=I", data, k)
        elif opcode == 0x06:  # BPF_RET | BPF_K
            return bool((k & 0xFFFF0000) == 0x7FF00000)  # SECCOMP_RET_TRACE
        elif opcode & 0x07 == 0x04:  # BPF_ALU
            assert opcode == 0x54, hex(opcode)  # BPF_AND | BPF_K
            accumulator &= k
        else:
            at += jump(opcode, accumulator, k, when_true, when_false)


def jump(opcode: int, accumulator: int, k: int, when_true: int, when_false: int) -> int:
    """Return how many instructions a jump skips."""
    outcomes = {
        0x05: None,  # BPF_JA
        0x15: accumulator == k,
        0x25: accumulator > k,
        0x35: accumulator >= k,
        0x45: bool(accumulator & k),
    }
    outcome = outcomes[opcode]
    if outcome is None:
        return k
    return when_true if outcome else when_false
