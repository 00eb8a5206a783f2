"""The code that runs in the program: what the compiler made of it, and programs that use it.

tracer.c puts the gate into a program and patches its sites. The rule: a program that makes its
calls there prints what it prints natively, and all its registers are as natively, also where a
signal comes at any instruction.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from support.elf_file import Decoded, ElfFile
from support.gate_code import ALL, CODE, Compile, compiled
from support.gate_files import TORTURE
from support.thorough import THOROUGH

HERE = Path(__file__).parent
TABLE_OFFSET = 0x7000
"""GATE_CODE_BYTES of ext/gate/layout.h."""
SYSCALLS = 8
"""That of the program's call, that of an open that is tried first, that of the gate's own, that by
which it asks the tracer, and four of the loader."""
Needs = Callable[[str], str]

# -- the code itself ------------------------------------------------------------------------------

BUILDS = [
    "-O0",
    "-O2",
    "-O3 -march=x86-64-v3",
    "-O2 -fstack-protector-all -fcf-protection=full",
    "-O1 -fsanitize=address,undefined",
    "-O2 -pg -finstrument-functions --coverage",
    "-O2 -flto",
    "-Os -fno-pic -fno-inline",
]
FOREIGN = re.compile(r"\b(?:[xyz]?mm\d+|st\(\d\)|k[0-7]|fs|ds|es|cr\d)\b")
BEFORE_THE_STACK = {"mov", "lea", "jrcxz", "jmp", "rdgsbase"}
"""Instructions that change no flags."""


class Code(NamedTuple):
    """The gate as one build has it, in its file."""

    start: int
    end: int
    entry: int
    instructions: list[Decoded]


@pytest.fixture(params=BUILDS)
def code(request: pytest.FixtureRequest, tmp_path: Path) -> Code:
    flags = ["-shared", "-Wl,-z,text", *request.param.split()]
    if "-fno-pic" not in flags:
        flags.append("-fPIC")
    elf = ElfFile(compiled(tmp_path / "gate.so", *flags, sources=CODE))
    (section,) = (section for section in elf.sections if section.name == "gate_code")
    end = section.offset + section.size
    found = [each for each in elf.instructions() if section.offset <= each.at < end]
    return Code(section.offset, end, elf.symbols()["gate_entry"], found)


def test_the_code_uses_nothing_but_general_registers_its_slot_and_its_table(code: Code) -> None:
    assert code.end - code.start <= TABLE_OFFSET
    for each in code.instructions:
        assert each.mnemonic == "rep movsb" or not FOREIGN.search(each.operands), each
        if each.target is not None:
            assert code.start <= each.target < code.end, each
        if "[rip" in each.operands:
            distance = int(each.operands.partition("rip + ")[2].rstrip("]"), 0)
            assert each.at + each.size + distance == code.start + TABLE_OFFSET, each
    assert [each.mnemonic for each in code.instructions].count("syscall") == SYSCALLS


def test_until_it_has_a_stack_it_uses_two_registers_and_no_flags(code: Code) -> None:
    entered = [each for each in code.instructions if each.at >= code.entry]
    ends = next(i for i, each in enumerate(entered) if each.operands.startswith("rsp, "))
    assert 5 < ends < 12
    for each in entered[: ends + 1]:
        assert each.mnemonic in BEFORE_THE_STACK
        written = each.operands.partition(",")[0]
        assert written in ("rcx", "r11", "rsp") or "gs:" in written or each.verb[0] == "j", each


# -- programs that use it -------------------------------------------------------------------------


class Gated(NamedTuple):
    """How a program ended that the tracer ran; calls are counted over all its processes."""

    status: int
    stdout: bytes
    stderr: bytes
    made: int
    """Calls that were made in the gate."""
    stops: int
    pads: int
    moved: int
    relocated: int
    """How often a thread was moved out of the gate before a signal."""
    toggled: int
    """How often a site was taken back or patched again while threads ran."""


Gate = Callable[..., Gated]


@pytest.fixture(scope="session")
def gate(commons: Path) -> Gate:
    """Run a program whose calls are made in the gate."""
    tracer = compiled(commons / "tracer", "-O2", sources=("tests/gate/tracer.c", *ALL))

    def run(*argv: str | Path, **environ: str) -> Gated:
        report = commons / f"report-{os.getpid()}"
        done = subprocess.run(
            [tracer, report, *argv], capture_output=True, check=False, env=os.environ | environ
        )
        counts = json.loads(report.read_bytes())
        report.unlink()
        keys = ("made", "stops", "pads", "moved", "relocated", "toggled")
        return Gated(done.returncode, done.stdout, done.stderr, *(counts[key] for key in keys))

    return run


def same_as_natively(gate: Gate, *argv: str | Path, **environ: str) -> Gated:
    native = subprocess.run(argv, capture_output=True, check=False, env=os.environ | environ)
    gated = gate(*argv, **environ)
    lines = native.stdout.splitlines(), gated.stdout.splitlines()
    assert [pair for pair in zip(*lines, strict=False) if pair[0] != pair[1]] == []
    assert gated[:3] == (native.returncode, native.stdout, native.stderr)
    return gated


GATED_CASES, FLAGS_AND_STACKS = 9, 21
"""Of transparent.c: calls of the table that the gate makes, and how often each at one site."""


def test_registers_flags_and_stacks_are_as_natively(gate: Gate, build: Compile) -> None:
    gated = same_as_natively(gate, build("transparent"), "registers")

    assert b"WRONG" not in gated.stdout
    assert b"STACK" not in gated.stdout
    assert gated.moved >= 1
    assert gated.made >= 2 * (GATED_CASES * FLAGS_AND_STACKS - 1)


def test_threads_and_children_make_their_calls_in_the_gate(gate: Gate, build: Compile) -> None:
    gated = same_as_natively(gate, build("transparent"))

    assert b"WRONG" not in gated.stdout
    assert gated.made > 20_000
    assert gated.stops < gated.made // 50


STEP_CASES, INSTRUCTIONS_OF_A_CALL = 11, 55
PASSES = 1000 if TORTURE else 5 if THOROUGH else 2


@pytest.mark.timeout(0 if TORTURE else 180)
def test_a_signal_comes_at_every_instruction_and_none_is_seen_in_the_gate(
    gate: Gate, build: Compile
) -> None:
    program = build("signals")
    native = subprocess.run([program, str(PASSES)], capture_output=True, check=False)
    gated = gate(program, str(PASSES))

    assert (gated.status, gated.stdout) == (native.returncode, native.stdout)
    assert b"WRONG" not in gated.stderr
    steps = dict(re.findall(r"(\w+ [^:\n]+): (\d+) instructions", gated.stderr.decode()))
    assert len(steps) == 3 * STEP_CASES
    for case in (
        *("read", "refused read", "lseek", "refused lseek", "read to nowhere"),
        *("open", "open of a link", "open of nothing", "refused open"),
    ):
        assert int(steps[f"pad {case}"]) > INSTRUCTIONS_OF_A_CALL
        assert int(steps[f"moved {case}"]) > INSTRUCTIONS_OF_A_CALL
    assert gated.relocated > sum(map(int, steps.values()))


@pytest.mark.timeout(0 if TORTURE else 180)
def test_sites_are_taken_back_and_patched_again_while_threads_run(
    gate: Gate, build: Compile
) -> None:
    program = build("signals")
    native = subprocess.run([program, str(PASSES)], capture_output=True, check=False)
    gated = gate(program, str(PASSES), TOGGLE="1")

    assert (gated.status, gated.stdout) == (native.returncode, native.stdout)
    assert b"WRONG" not in gated.stderr
    assert gated.toggled > 1000
    assert gated.made > 10_000


SCRIPT = "cat /etc/passwd | while read line; do echo $line; done; ls /usr/bin | wc -l; exit 4"
FILES = [str(path) for path in sorted(HERE.parents[1].glob("scopetrace/*/*.py"))]
PYTHON = """
import concurrent.futures, pathlib, subprocess
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    paths = [path for path in pathlib.Path('/etc').iterdir() if path.is_file()]
    def size(path):
        try:
            return len(path.read_bytes())
        except OSError as error:
            return error.errno
    print(sum(pool.map(size, paths * 5)))
print(subprocess.run(['cat', '/etc/passwd'], capture_output=True).stdout)
"""


@pytest.mark.parametrize(
    ("argv", "made"),
    [
        (("busybox", "sh", "-c", SCRIPT), 500),
        (("bash", "-c", SCRIPT), 500),
        (("sha256sum", *FILES), 100),
        ((sys.executable, "-c", PYTHON), 2000),
        (("git", "hash-object", *FILES), 100),
    ],
    ids=["busybox", "bash", "coreutils", "python3", "git"],
)
def test_a_real_program(gate: Gate, needs: Needs, argv: tuple[str, ...], made: int) -> None:
    gated = same_as_natively(gate, needs(argv[0]), *argv[1:])
    assert gated.made > made


GO = """
package main

import ("fmt"; "os"; "sync")

func main() {
    var all sync.WaitGroup
    sums := make([]int, 20)
    for i := range sums {
        all.Add(1)
        go func(i int) {
            defer all.Done()
            for j := 0; j < 50; j++ {
                content, _ := os.ReadFile("/etc/passwd")
                sums[i] += len(content)
            }
        }(i)
    }
    all.Wait()
    fmt.Println(sums)
    os.Exit(4)
}
"""


def test_a_go_program(gate: Gate, needs: Needs, commons: Path) -> None:
    source, program = commons / "gated.go", commons / "gated-go"
    source.write_text(GO)
    environ = os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off"}
    environ.setdefault("HOME", str(commons))
    subprocess.run([needs("go"), "build", "-o", program, source], env=environ, check=True)

    gated = same_as_natively(gate, program)
    assert gated.made > 2000
