"""The fd table of the decoder, compared with that of the kernel in /proc/PID/fd.

A tracee changes its fds at random, and now and then prints the content of /proc/self/fd. These
answers are writes, so their records are in the right place among the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scopetrace.decode.decoder import Decoder
from scopetrace.model.raw import Part, RawKind, RawRecord
from support.engine_run import CALLS, engine_run
from support.gate_code import compiled
from support.harness import Compile

ANSWERS = 101
FDS = st.integers(0, 15)
COMMANDS = st.one_of(
    st.sampled_from("abc").map(lambda name: f"o {name}"),
    st.sampled_from("de").map(lambda name: f"e {name}"),
    FDS.map(lambda fd: f"d {fd}"),
    st.tuples(FDS, FDS).map(lambda fds: f"2 {fds[0]} {fds[1]}"),
    st.tuples(FDS, FDS).map(lambda fds: f"f {fds[0]} {fds[1]}"),
    FDS.map(lambda fd: f"c {fd}"),
    st.tuples(FDS, st.integers(0, 3)).map(lambda r: f"r {r[0]} {r[0] + r[1]}"),
    st.sampled_from(["k", "p", "x", "?"]),
)


def kernels_tables(records: list[RawRecord]) -> Iterator[tuple[RawRecord, dict[int, str]]]:
    """Yield each complete answer of the tracee: {fd: link}, with its last record."""
    table: dict[int, str] = {}
    for record in records:
        if not is_answer(record):
            continue
        line = os.fsdecode(record.parts()[Part.DATA]).rstrip("\n")
        fd, link = line.split(" ", 1)
        if fd == ".":
            yield record, table
            table = {}
        else:
            table[int(fd)] = link


def is_answer(record: RawRecord) -> bool:
    is_call = record.kind == RawKind.SYSCALL and CALLS[record.syscall].name == "write"
    return is_call and record.arg1 == ANSWERS


def decoded_tables(records: list[RawRecord]) -> Iterator[dict[int, str]]:
    """Decode all records and yield the table of the answering task at each answer's end."""
    decoder = Decoder(CALLS, lambda operation: None, 0)
    ends = {id(record) for record, _ in kernels_tables(records)}
    for record in records:
        decoder.decode(record)
        if id(record) in ends:
            fds = decoder.state.tree.tasks[record.tid].table.fds
            yield {fd: file.path for fd, file in fds.items() if fd < 100}
    assert decoder.misunderstood == 0, decoder.first_misunderstood


def named(table: dict[int, str]) -> dict[int, str]:
    """Return all fds of a table, with names only for real files: others cannot be compared."""
    return {fd: path if path.startswith("/") else "" for fd, path in table.items()}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(COMMANDS, min_size=1, max_size=25))
def test_decoding_agrees_with_the_kernel_about_every_fd(
    compile_tracee: Compile, commons: Path, commands: list[str]
) -> None:
    program = compile_tracee("fd_table")
    script = "".join(f"{command}\n" for command in [*commands, "?"])
    folder = Path(tempfile.mkdtemp(dir=commons))
    try:
        records, _ = engine_run([program], folder, stdin=script.encode())
    finally:
        shutil.rmtree(folder)

    kernel = [named(table) for _, table in kernels_tables(records)]
    decoded = [named(table) for table in decoded_tables(records)]
    assert len(kernel) == 1 + commands.count("?")
    assert decoded == kernel


def test_a_list_of_fds_is_whole_where_a_signal_ends_a_part_of_it(tmp_path: Path) -> None:
    program = compiled(tmp_path / "fd_lists", sources=("tests/engine/fd_lists.c",))

    listed = subprocess.run([program], capture_output=True, text=True, check=True)

    assert listed.stdout == "1\n"
