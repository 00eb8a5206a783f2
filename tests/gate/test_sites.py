"""Plans for call sites: in assembled functions with one difficulty each, and in real programs."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from support.elf_file import Decoded, ElfFile
from support.gate_code import Form, Plan, sites_of
from support.gate_files import STANDARD

JUMP_BYTES, CALL_BYTES, CACHE_LINE = 5, 2, 64
E_SHOFF, E_SHNUM, EHDR = 0x28, 0x3C, 0x40
"""Where a file says where its sections are and how many, and where its ELF header ends (elf(5))."""
Assemble = Callable[[str], ElfFile]
Needs = Callable[[str], str]

FUNCTION = """
.p2align 6
.type {name}, @function
{name}:
.cfi_startproc
{body}
.cfi_endproc
.size {name}, . - {name}
"""


def function(body: str, name: str = "function") -> str:
    return FUNCTION.format(name=name, body=body.replace("; ", "\n"))


@pytest.fixture
def assemble(tmp_path: Path) -> Assemble:
    """Make a shared library of functions in assembler."""

    def build(text: str) -> ElfFile:
        source, target = tmp_path / "code.s", tmp_path / "code.so"
        source.write_text(text)
        flags = ["-nostdlib", "-shared", "-Wl,-z,noexecstack"]
        subprocess.run(["gcc", *flags, "-o", target, source], check=True)
        return ElfFile(target)

    return build


def plan_of(elf: ElfFile, label: str = "site") -> Plan:
    with sites_of(elf.data) as sites:
        assert sites is not None
        return sites.plan(elf.symbols()[label])


PADS = {
    "behind a return": "site: syscall; ret; pad: .nops 8; ret",
    "behind a return that takes arguments": "site: syscall; ret $8; pad: .nops 8; ret",
    "behind a jump": "site: syscall; jmp function; pad: .nops 8; ret",
    "behind ud2": "site: syscall; ud2; pad: .nops 8; ret",
    "int3": "site: syscall; ret; pad: .fill 8, 1, 0xcc; ret",
    "single nops": "site: syscall; ret; pad: .fill 5, 1, 0x90; ret",
    "before the site": "jmp 1f; pad: .nops 5; 1: syscall; ret; .nops 4; site: syscall; ret",
    "at the end of the function": "site: syscall; ret; pad: .nops 8",
    "not across two lines": "site: syscall; ret; .fill 57, 1, 0xf8; ret; .nops 3; pad: .nops 8",
    "as far ahead as possible": "site: syscall; ret; .fill 125, 1, 0xf8; ret; pad: .nops 5; ret",
}
"""Bodies of functions whose site has a pad at the label."""


@pytest.mark.parametrize("body", PADS.values(), ids=PADS)
def test_a_site_with_a_pad(assemble: Assemble, body: str) -> None:
    elf = assemble(function(body))
    assert plan_of(elf) == (Form.PAD, elf.symbols()["pad"], 0)


REFUSED = {
    "the end is part of an instruction": "site: syscall; .byte 0x89, 0xc3; .nops 8; ret",
    "a call may come back": "site: syscall; call function; .nops 8; ret",
    "a branch leads into it": "site: syscall; js 1f; ret; .nops 4; 1: .nops 4; ret",
    "a branch leads to it": "site: syscall; js 1f; ret; 1: .nops 8; ret",
    "an operand names it": "site: syscall; lea 1f(%rip), %rcx; ret; 1: .nops 8; ret",
    "a jump table may lead to it": "site: syscall; jmp *%rcx; ret; .nops 8; ret",
    "endbr64 is a target": "site: syscall; ret; endbr64; .nops 3; ret",
    "too short": "site: syscall; ret; .nops 4; ret",
    "in two cache lines": "site: syscall; ret; .fill 54, 1, 0xf8; ret; .nops 8; ret",
    "too far": "site: syscall; ret; .fill 126, 1, 0xf8; ret; .nops 5; ret",
    "something unknown": "site: syscall; ret; .nops 8; .byte 0x06; ret",
    "the end of the function cuts it": "site: syscall; ret; .nops 8; .byte 0x48, 0xb8",
}
"""Bodies of functions whose site has no pad, and no instruction before it that could be moved."""


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_is_not_certain_to_be_dead_is_no_pad(assemble: Assemble, body: str) -> None:
    assert plan_of(assemble(function(f"xor %eax, %eax; {body}"))) == (Form.TRACED, 0, 0)


MOVED = {
    "a number": ("mov $39, %eax", 5),
    "a long number": ("movabs $1, %rdi", 10),
    "an operand in memory": ("mov 8(%rsp,%rax,4), %rdi", 5),
    "a long nop": (".nops 8", 8),
    "a branch leads to it": ("js 1f; 1: mov $39, %eax", 5),
    "a branch leads behind it": ("js site; mov $39, %eax", 5),
}


@pytest.mark.parametrize(("before", "size"), MOVED.values(), ids=MOVED)
def test_the_instruction_before_a_site_is_moved(assemble: Assemble, before: str, size: int) -> None:
    elf = assemble(function(f"{before}; site: syscall; ret"))
    assert plan_of(elf) == (Form.MOVED, 0, size)


STAYS = {
    "too short": "xor %eax, %eax",
    "two short ones": "xor %eax, %eax; inc %rax",
    "relative to its place": "lea 0(%rip), %rdi",
    "a call": "call function",
    "a branch": "js function + 200",
    "a branch leads into it": "js 1f + 1; 1: mov $39, %eax",
    "a later branch leads into it": "1: mov $39, %eax; jmp site; js 1b + 2",
}


@pytest.mark.parametrize("before", STAYS.values(), ids=STAYS)
def test_the_instruction_before_a_site_stays(assemble: Assemble, before: str) -> None:
    elf = assemble(function(f"{before}; site: syscall; ret"))
    assert plan_of(elf) == (Form.TRACED, 0, 0)


def test_nothing_before_the_first_instruction_of_a_function_is_moved(assemble: Assemble) -> None:
    one, other = function("ret; mov $39, %eax", "one"), function("site: syscall; ret", "other")
    elf = assemble(one + other.replace(".p2align 6", ""))
    assert plan_of(elf).form == Form.TRACED


GAPS = {
    "nops": (".nops 12", True),
    "zeros": (".fill 12, 1, 0", True),
    "int3": (".fill 12, 1, 0xcc", True),
    "a mixture": (".fill 3, 1, 0; .nops 9", True),
    "code": (".nops 6; ret; .nops 5", False),
    "too long": (".fill 65, 1, 0x90", False),
    "too short": (".nops 4", False),
}


@pytest.mark.parametrize(("gap", "is_pad"), GAPS.values(), ids=GAPS)
def test_padding_between_two_functions(assemble: Assemble, gap: str, is_pad: bool) -> None:
    one = function("site: syscall; ret", "one")
    other = function("ret", "other").replace(".p2align 6", "pad: " + gap.replace("; ", "\n"))
    elf = assemble(one + other)
    expected = (Form.PAD, elf.symbols()["pad"], 0) if is_pad else (Form.TRACED, 0, 0)
    assert plan_of(elf) == expected


@pytest.mark.parametrize("end", ["xor %ecx, %ecx", "js one", "syscall", "nop"])
def test_a_function_that_may_run_on_has_no_padding_behind_it(assemble: Assemble, end: str) -> None:
    one = function(f"xor %eax, %eax; site: syscall; {end}", "one")
    other = function("ret", "other").replace(".p2align 6", ".nops 12")
    assert plan_of(assemble(one + other)).form == Form.TRACED


def test_a_pad_belongs_to_one_site(assemble: Assemble) -> None:
    body = "0: syscall; 1: syscall; 2: syscall; ret; .nops 11; ret"
    elf = assemble(function(body.replace("0:", "a:").replace("1:", "b:").replace("2:", "c:")))
    labels = elf.symbols()
    with sites_of(elf.data) as sites:
        assert sites is not None
        plans = [sites.plan(labels[each]) for each in "abc"]

    first = labels["c"] + CALL_BYTES + 1
    assert [plan.pad for plan in plans] == [first, first + JUMP_BYTES, 0]


def test_only_the_instruction_itself_is_a_site(assemble: Assemble) -> None:
    elf = assemble(function("mov $39, %eax; site: syscall; ret; .nops 8"))
    site = elf.symbols()["site"]
    with sites_of(elf.data) as sites:
        assert sites is not None
        for other in (0, site - 1, site + 1, len(elf.data) - 1, len(elf.data), 1 << 63):
            assert sites.plan(other) == (Form.TRACED, 0, 0)
        assert sites.plan(site).form == Form.PAD


# -- functions that are not known -----------------------------------------------------------------

PLAIN = ".text\n.p2align 6\n{name}:\n{body}\n"


def plain(body: str, name: str = "function") -> str:
    """Return a function without unwind information."""
    return PLAIN.format(name=name, body=body.replace("; ", "\n"))


def plan_without_symbols(elf: ElfFile) -> Plan:
    """Plan the site in the file without its labels, whose addresses would count."""
    site = elf.symbols()["site"]
    bare = elf.path.with_suffix(".bare")
    subprocess.run(["strip", "-o", bare, elf.path], check=True)
    with sites_of(bare.read_bytes()) as sites:
        assert sites is not None
        return sites.plan(site)


SECTION = "site: syscall; ret; pad: .nops 12; xor %eax, %eax; ret; .fill 200, 1, 0xf8; ret"
LEADS_TO_IT = {
    "a branch from anywhere": plain("jmp pad + 3", "other"),
    "an operand": plain("lea pad(%rip), %rax; ret", "other"),
    "a jump table": plain("lea table(%rip), %rdx; ret", "other")
    + ".section .rodata\n.p2align 2\ntable: .long function - table, pad + 4 - table\n",
    "a relocation": '.section .data.rel.ro, "aw"\n.p2align 3\n.quad pad\n',
    "a symbol": ".globl pad\n",
}


def test_without_functions_nops_behind_a_return_are_a_pad(assemble: Assemble) -> None:
    elf = assemble(plain(SECTION))
    assert plan_without_symbols(elf) == (Form.PAD, elf.symbols()["pad"], 0)


@pytest.mark.parametrize("more", LEADS_TO_IT.values(), ids=LEADS_TO_IT)
def test_without_functions_all_of_the_file_may_lead_to_a_pad(assemble: Assemble, more: str) -> None:
    assert plan_without_symbols(assemble(plain(SECTION) + more)) == (Form.TRACED, 0, 0)


def test_without_functions_a_table_ends_where_it_leads_out_of_the_code(assemble: Assemble) -> None:
    table = ".section .rodata\n.p2align 2\ntable: .long function - table, -1, pad - table\n"
    elf = assemble(plain(SECTION) + plain("lea table(%rip), %rdx; ret", "other") + table)
    assert plan_without_symbols(elf).form == Form.PAD


def test_without_functions_tables_without_an_end_are_too_much(assemble: Assemble) -> None:
    table = ".section .rodata\n.p2align 2\ntable: .rept 4096\n.long {} - table\n.endr\n"
    leads = plain("; ".join(["lea table(%rip), %rdx"] * 300) + "; ret", "other")
    few, many = (plain(SECTION) + leads + table.format(to) for to in ("table", "function"))
    assert plan_without_symbols(assemble(few)).form == Form.PAD
    assert plan_without_symbols(assemble(many)).form == Form.TRACED


def test_without_functions_int3_is_a_pad_whatever_is_before_it(assemble: Assemble) -> None:
    elf = assemble(plain("site: syscall; call function; pad: .fill 9, 1, 0xcc; ret"))
    assert plan_without_symbols(elf) == (Form.PAD, elf.symbols()["pad"], 0)


def test_without_functions_the_instruction_before_is_moved(assemble: Assemble) -> None:
    code = "ret; .nops 15; .fill 130, 1, 0xf8; mov $39, %eax; site: syscall; ret"
    elf = assemble(plain(code))
    assert plan_without_symbols(elf) == (Form.MOVED, 0, 5)
    elf = assemble(plain(code.replace("0xf8", "0x06")))
    assert plan_without_symbols(elf) == (Form.TRACED, 0, 0)


def test_without_functions_nothing_is_trusted_shortly_behind_what_is_unknown(
    assemble: Assemble,
) -> None:
    near, far = (f".byte 0x06; .fill {size}, 1, 0xf8; {SECTION}" for size in (15, 127))
    assert plan_without_symbols(assemble(plain(near))).form == Form.TRACED
    assert plan_without_symbols(assemble(plain(far))).form == Form.PAD


# -- real programs --------------------------------------------------------------------------------


def syscalls(instructions: list[Decoded]) -> list[int]:
    return [each.at for each in instructions if each.mnemonic == "syscall"]


def plans_of(elf: ElfFile, sites_at: list[int]) -> dict[int, Plan]:
    with sites_of(elf.data) as sites:
        assert sites is not None
        return {site: sites.plan(site) for site in sites_at}


@pytest.fixture(scope="session")
def go_static(commons: Path, needs: Needs) -> Path:
    source, program = commons / "sites.go", commons / "sites-go"
    source.write_text('package main\n\nimport "os"\n\nfunc main() { os.Stdout.WriteString("") }\n')
    environ = os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off"}
    environ.setdefault("HOME", str(commons))
    subprocess.run([needs("go"), "build", "-o", program, source], env=environ, check=True)
    return program


@pytest.fixture(scope="session")
def glibc_static(commons: Path) -> Path:
    program = commons / "sites-static"
    source = b"int main(void) { return 0; }\n"
    build = ["gcc", "-static", "-O1", "-o", program, "-xc", "-"]
    subprocess.run(build, input=source, check=True)
    return program


@pytest.fixture
def program(request: pytest.FixtureRequest) -> ElfFile:
    name: str = request.param
    return ElfFile(STANDARD[name]() if name in STANDARD else request.getfixturevalue(name))


SHARES = {
    "libc.so.6": (500, 0.85, 0.95),
    "ld.so": (40, 0.80, 0.90),
    "musl": (450, 0.70, 0.85),
    "busybox": (250, 0.85, 0.90),
    "go_static": (30, 0.90, 0.90),
    "glibc_static": (80, 0.80, 0.90),
}
"""Program → least number of sites, least share that has a pad, least share that has a form."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("program", "least"), SHARES.items(), ids=SHARES.keys(), indirect=["program"]
)
def test_most_sites_of_real_programs_can_be_patched(
    program: ElfFile, least: tuple[int, float, float]
) -> None:
    instructions = list(program.instructions())
    plans = plans_of(program, syscalls(instructions))
    forms = Counter(plan.form for plan in plans.values())
    sites, pads, either = least

    assert len(plans) >= sites
    assert forms[Form.PAD] >= pads * len(plans), forms
    assert forms[Form.PAD] + forms[Form.MOVED] >= either * len(plans), forms
    assert_harmless(program, instructions, plans)


def assert_harmless(elf: ElfFile, instructions: list[Decoded], plans: dict[int, Plan]) -> None:
    """Nothing in the whole file leads into what is overwritten, and pads are apart and dead."""
    targets = {each.target for each in instructions}
    starts = {each.at: each for each in instructions}
    pads = sorted(plan.pad for plan in plans.values() if plan.form == Form.PAD)

    for site, plan in plans.items():
        if plan.form == Form.PAD:
            assert -128 <= plan.pad - (site + CALL_BYTES) <= 127
            assert plan.pad % CACHE_LINE <= CACHE_LINE - JUMP_BYTES
            assert not targets & set(range(plan.pad, plan.pad + JUMP_BYTES))
        elif plan.form == Form.MOVED:
            moved = starts[site - plan.moved_bytes]
            assert moved.size == plan.moved_bytes >= JUMP_BYTES
            assert "rip" not in moved.operands
            assert not targets & set(range(moved.at + 1, site))
    assert all(after - before >= JUMP_BYTES for before, after in pairwise(pads))


FRAME = re.compile(r" FDE .* pc=([0-9a-f]+)\.\.([0-9a-f]+)")


@pytest.mark.parametrize(
    "program", ["libc.so.6", "ld.so", "busybox", "glibc_static"], indirect=["program"]
)
def test_functions_are_those_that_readelf_finds(program: ElfFile) -> None:
    asked = ["readelf", "--debug-dump=frames", program.path]
    text = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    (shift,) = {section.address - section.offset for section in program.code}
    expected = {(int(a, 16) - shift, int(b, 16) - shift) for a, b in FRAME.findall(text)}
    with sites_of(program.data) as sites:
        assert sites is not None
        found = sites.functions()

    assert found == sorted(found)
    assert len(expected) > 100
    assert set(found) == expected


@pytest.mark.parametrize("name", ["libc.so.6", "ld.so"])
def test_functions_are_found_without_names_of_sections(name: str) -> None:
    """The loader reads none either; some programs are delivered without them."""
    data = ElfFile(STANDARD[name]()).data
    stripped = data[:E_SHOFF] + bytes(8) + data[E_SHOFF + 8 : E_SHNUM] + bytes(4) + data[EHDR:]
    with sites_of(data) as sites, sites_of(stripped) as others:
        assert sites is not None
        assert others is not None
        assert others.functions() == sites.functions() != []


@pytest.mark.parametrize("name", ["libc.so.6", "ld.so", "musl"])
def test_the_slack_behind_the_code_is_zero_and_ends_its_page(name: str) -> None:
    elf = ElfFile(STANDARD[name]())
    with sites_of(elf.data) as sites:
        assert sites is not None
        start, end = sites.slack()

    assert end % 4096 == 0
    assert end - 4096 < start < end
    assert elf.data[start:end] == bytes(end - start)
