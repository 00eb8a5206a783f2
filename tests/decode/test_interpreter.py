"""What program files name as their interpreter."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from scopetrace.decode.interpreter import interpreter_of, machine_of


@pytest.mark.parametrize(
    ("head", "interpreter"),
    [
        (b"#!/bin/sh\n", "/bin/sh"),
        (b"#! \t/usr/bin/env python3\nx", "/usr/bin/env"),
        (b"#!/bin/sh\r\nx", "/bin/sh\r"),
        (b"#!\n/bin/sh", ""),
        (b"#!", ""),
        (b"#!/x\xe9", "/x\udce9"),
        (b"", ""),
        (b"echo", ""),
        (b"\x7fELF", ""),
        (b"\x7fELF\x02" + bytes(40), ""),
        (b"\x7fELF\x09" + bytes(80), ""),
    ],
)
def test_what_a_file_names_after_its_first_bytes(head: bytes, interpreter: str) -> None:
    assert interpreter_of(head) == interpreter


def test_an_elf_file_of_this_machine_names_what_readelf_says() -> None:
    program = Path(sys.executable).resolve()
    shown = subprocess.run(["readelf", "-l", program], capture_output=True, text=True, check=True)
    (told,) = [line for line in shown.stdout.splitlines() if "program interpreter" in line]

    assert f"interpreter: {interpreter_of(program.read_bytes()[:1024])}]" in told


@pytest.mark.parametrize(
    ("head", "machine"),
    [
        (b"\x7fELF\x02\x01" + bytes(12) + b"\xb7\x00", "AArch64"),
        (b"\x7fELF\x02\x02" + bytes(12) + b"\x00\x16", "S/390"),
        (b"\x7fELF\x01\x01" + bytes(12) + b"\xff\x01", "machine 511"),
        (b"\x7fELF\x01\x01", ""),
        (b"\x7fELF\x01\x07" + bytes(20), ""),
        (b"#!/bin/sh", ""),
    ],
)
def test_the_machine_of_an_elf_file(head: bytes, machine: str) -> None:
    assert machine_of(head) == machine


def test_a_32_bit_elf_file() -> None:
    header = b"\x7fELF\x01" + bytes(23) + struct.pack("<I", 52) + bytes(10)
    header += struct.pack("<HH", 32, 1)
    entry = struct.pack("<IIIIIIII", 3, 84, 0, 0, 9, 9, 0, 1)
    head = header.ljust(52, b"\0") + entry + b"/lib/ld1\0"

    assert interpreter_of(head) == "/lib/ld1"
    assert interpreter_of(head[:60]) == ""
