"""The lengths of instructions, compared with capstone, and where each instruction leads.

The rule: what capstone reads we read alike or call unknown, and code of compilers is never unknown.
Only libcrypto has data between its functions, and code for CPUs that are no longer made.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from capstone import CS_ARCH_X86, CS_MODE_64, Cs

from support.elf_file import ElfFile, disassemble
from support.gate_code import Flow, Instruction, Instructions, read_instruction
from support.gate_files import STANDARD, TORTURE, machine_files
from support.thorough import THOROUGH

ENDS = {"ret", "retf", "retfq", "iret", "iretd", "iretq", "hlt", "ud2", "ud1", "sysret", "sysretq"}
CALLS = {"call", "lcall"}
JUMPS = {"jmp", "ljmp"}
BRANCH = re.compile(r"j\w+|loop\w*|xbegin")
RIP = re.compile(r"\[(?:\w+:)?[re]ip(?: ([+-]) (\w+))?\]")
NUMBER = re.compile(r"-?(?:0x)?[0-9a-f]+")
REGISTER_EXCHANGE = "xchg"


def expected_flow(verb: str, operands: str) -> Flow:
    """Return where capstone's instruction leads."""
    if verb in JUMPS:
        return Flow.JUMP if NUMBER.fullmatch(operands) else Flow.INDIRECT
    if verb in ENDS:
        return Flow.END
    if verb in CALLS:
        return Flow.CALL
    if BRANCH.fullmatch(verb):
        return Flow.BRANCH
    return {"syscall": Flow.SYSCALL, "int3": Flow.TRAP}.get(verb, Flow.NEXT)


def expected_target(end: int, verb: str, operands: str) -> int | None:
    """Return what capstone's instruction names relative to its end, which is at `end`."""
    if NUMBER.fullmatch(operands) and (verb in {"call", "jmp"} or BRANCH.fullmatch(verb)):
        return (int(operands, 16) - end + (1 << 63)) % (1 << 64) - (1 << 63)
    if named := RIP.search(operands):
        sign, number = named.groups()
        return int(f"{sign}{number}", 0) if sign else 0
    return None


def difference(ours: Instruction, end: int, size: int, mnemonic: str, operands: str) -> str:
    """Return in what we differ from capstone about one instruction; empty: in nothing."""
    verb = mnemonic.rpartition(" ")[2]
    flow = expected_flow(verb, operands)
    if ours.length != size:
        return f"length {ours.length}, not {size}"
    if ours.flow != flow and not (ours.flow == Flow.NOP and verb in ("nop", REGISTER_EXCHANGE)):
        return f"flow {ours.flow.name}, not {flow.name}"
    target = expected_target(end, verb, operands)
    if ours.target != target:
        return f"target {ours.target}, not {target}"
    return ""


def differences(code: bytes) -> Iterator[str]:
    """Yield what we read differently than capstone in `code`, and what we do not know."""
    ours = Instructions(code)
    for at, size, mnemonic, operands in disassemble(code):
        here = ours[at]
        text = f"{code[at : at + size].hex(' ')} {mnemonic} {operands}"
        if here is None:
            yield f"unknown: {text}"
        elif found := difference(here, at + size, size, mnemonic, operands):
            yield f"{found}: {text}"


def wrong(code: bytes) -> list[str]:
    return [each for each in differences(code) if not each.startswith("unknown: ")]


READ_BYTES = None if THOROUGH or TORTURE else 500_000


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STANDARD)
def test_what_is_in_the_standard_programs_is_known_and_read_as_capstone_reads_it(name: str) -> None:
    """Of each section its first half a megabyte is read; all of it by THOROUGH=1 or TORTURE=1."""
    elf = ElfFile(STANDARD[name]())
    for section in elf.code:
        code = elf.bytes_of(section)[:READ_BYTES]
        found = list(differences(code))
        assert [each for each in found if not each.startswith("unknown: ")] == []
        assert len(found) <= (len(code) // 4000 if name == "libcrypto" else 0), found


if TORTURE:

    @pytest.mark.timeout(0)
    @pytest.mark.parametrize("path", list(machine_files()), ids=str)
    def test_all_code_of_the_machine_is_read_as_capstone_reads_it(path: Path) -> None:
        elf = ElfFile(path)
        for section in elf.code:
            assert wrong(elf.bytes_of(section)) == []


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_are_read_as_capstone_reads_them_or_unknown(seed: int) -> None:
    assert wrong(random.Random(seed).randbytes(200_000)) == []


PREFIXES = [
    "", "66", "67", "f2", "f3", "66 67", "66 f2", "f3 66", "2e", "64", "40", "41", "48", "4f",
    "66 48", "67 44", "f2 48", "f3 48", "66 66 2e",
]  # fmt: skip
MAPS = ["", "0f", "0f 38", "0f 3a"]
VECTORS = [
    "c5 f8", "c5 7d", "c4 e1 78", "c4 e2 7d", "c4 e3 7d", "c4 e3 f9", "62 f1 7c 48",
    "62 f2 7d 48", "62 f3 fd 28", "62 f5 7c 08", "62 f6 7d 08",
]  # fmt: skip
STARTS = [*(f"{prefix} {escape}" for prefix, escape in product(PREFIXES, MAPS)), *VECTORS]
MODRMS = bytes.fromhex("00 04 05 0c 40 44 80 85 c0 c8 d9 e2 eb f0 f8 ff")
SIB_TO_END = bytes.fromhex("25 11 22 33 44 55 66 77 88 99 aa bb")


@pytest.mark.parametrize("start", STARTS)
def test_every_opcode_behind_these_bytes_is_read_as_capstone_reads_it(start: str) -> None:
    reader = Cs(CS_ARCH_X86, CS_MODE_64)
    found = []
    for opcode, modrm in product(range(256), MODRMS):
        code = bytes.fromhex(start) + bytes((opcode, modrm)) + SIB_TO_END
        ours = read_instruction(code)
        for _, size, mnemonic, operands in reader.disasm_lite(code, 0, 1):
            if ours and (text := difference(ours, size, size, mnemonic, operands)):
                found.append(f"{code[:size].hex(' ')} {mnemonic} {operands}: {text}")
    assert found == []


NOPS = [
    "90", "66 90", "0f 1f 00", "0f 1f 40 00", "0f 1f 44 00 00", "66 0f 1f 44 00 00",
    "0f 1f 80 00 00 00 00", "0f 1f 84 00 00 00 00 00", "66 0f 1f 84 00 00 00 00 00",
    "66 2e 0f 1f 84 00 00 00 00 00", "66 66 2e 0f 1f 84 00 00 00 00 00",
    "66 66 66 66 66 2e 0f 1f 84 00 00 00 00 00",
]  # fmt: skip


@pytest.mark.parametrize("text", NOPS)
def test_all_nops_that_assemblers_align_with_are_nops(text: str) -> None:
    code = bytes.fromhex(text)
    assert read_instruction(code) == (len(code), Flow.NOP, None)


@pytest.mark.parametrize(
    "text",
    ["f3 90", "41 90", "f3 0f 1e fa", "0f 18 00", "0f 0d 00", "00 00"],
    ids=["pause", "exchange", "endbr64", "hint", "prefetch", "zeros"],
)
def test_what_looks_like_a_nop_and_is_none(text: str) -> None:
    found = read_instruction(bytes.fromhex(text))
    assert found is not None
    assert found.flow == Flow.NEXT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("89 c3", (2, Flow.NEXT, None)),
        ("c3", (1, Flow.END, None)),
        ("f3 c3", (2, Flow.END, None)),
        ("0f 05", (2, Flow.SYSCALL, None)),
        ("eb fe", (2, Flow.JUMP, -2)),
        ("e9 00 01 00 00", (5, Flow.JUMP, 256)),
        ("3e ff e0", (3, Flow.INDIRECT, None)),
        ("ff 25 10 00 00 00", (6, Flow.INDIRECT, 16)),
        ("0f 84 fc ff ff ff", (6, Flow.BRANCH, -4)),
        ("67 e8 04 00 00 00", (6, Flow.CALL, 4)),
        ("66 66 48 e8 04 00 00 00", (8, Flow.CALL, 4)),
        ("c7 f8 08 00 00 00", (6, Flow.BRANCH, 8)),
        ("80 3d 10 00 00 00 01", (7, Flow.NEXT, 16)),
        ("48 b8 01 02 03 04 05 06 07 08", (10, Flow.NEXT, None)),
        ("66 b8 01 02", (4, Flow.NEXT, None)),
        ("a0 01 02 03 04 05 06 07 08", (9, Flow.NEXT, None)),
        ("67 a0 01 02 03 04", (6, Flow.NEXT, None)),
        ("f6 c0 01", (3, Flow.NEXT, None)),
        ("f6 d0", (2, Flow.NEXT, None)),
        ("66 f7 c0 01 02", (5, Flow.NEXT, None)),
        ("c4 e3 7d 39 c1 01", (6, Flow.NEXT, None)),
        ("c5 f8 77", (3, Flow.NEXT, None)),
        ("62 f1 7c 48 10 40 01", (7, Flow.NEXT, None)),
        ("62 f3 7d 48 25 05 10 00 00 00 ff", (11, Flow.NEXT, 16)),
        ("0f 0b", (2, Flow.END, None)),
    ],
)
def test_an_instruction(text: str, expected: tuple[int, Flow, int | None]) -> None:
    assert read_instruction(bytes.fromhex(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "66 e9 00 00 00 00",  # Intel reads 32 bits, AMD 16
        "66 75 00",
        "66 c2 08 00",
        "0f ff c0",  # ud0, with ModRM or without
        "0f b9 c0",  # ud1
        "62 f4 7c 08 00 c0",  # APX
        "d5 00 c3",  # REX2, APX
        "66 c5 f8 77",  # VEX behind a prefix
        "48 c5 f8 77",
        "48 66 90",  # REX before a prefix
        "06",  # push %es: not in 64-bit mode
        "0f 24 c0",
        "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90",  # 16 bytes
    ],
)
def test_what_is_not_certain_is_unknown(text: str) -> None:
    assert read_instruction(bytes.fromhex(text)) is None


def test_an_instruction_that_the_end_of_the_bytes_cuts_is_unknown() -> None:
    whole = [*NOPS, "62 f3 7d 48 25 05 10 00 00 00 ff", "48 b8 01 02 03 04 05 06 07 08", "0f 05"]
    for code in map(bytes.fromhex, whole):
        for size in range(1, len(code)):
            assert read_instruction(code[:size]) is None, code[:size].hex(" ")
