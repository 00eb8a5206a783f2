"""The plan of copying that the engine takes."""

from __future__ import annotations

from scopetrace.syscalls.call import Abi, Phase
from scopetrace.syscalls.copies import PACKED, Copy, Rule, copies, plan
from scopetrace.syscalls.rows import named


def test_a_buffer_that_the_program_gives_is_copied_at_entry() -> None:
    [write] = named("write")
    assert copies(write, Abi.X86_64) == (Copy(1, Phase.ENTRY, Rule.LENGTH, 1, length=2),)


def test_a_buffer_that_the_kernel_fills_is_copied_at_exit_as_long_as_the_result() -> None:
    [read] = named("read")
    assert copies(read, Abi.X86_64) == (Copy(1, Phase.EXIT, Rule.RESULT, 1),)


def test_the_size_of_a_structure_depends_on_the_abi() -> None:
    [nanosleep] = named("nanosleep")
    sizes = {abi: copies(nanosleep, abi)[0].size for abi in Abi}
    assert sizes == {Abi.X86_64: 16, Abi.I386: 8, Abi.X32: 16}


def test_what_is_read_and_written_is_copied_twice() -> None:
    [poll] = named("poll")
    assert [(copy.phase, copy.size) for copy in copies(poll, Abi.X86_64)] == [
        (Phase.ENTRY, 8),
        (Phase.EXIT, 8),
    ]


def test_the_plan_is_sorted_and_whole() -> None:
    found = list(PACKED.iter_unpack(plan()))
    keys = [(abi, number) for abi, _, _, _, number, *_ in found]
    assert keys == sorted(keys)
    assert (Abi.X86_64, Phase.EXIT, 1, Rule.RESULT, 0, 255, 255, -1, 0, 1, 0xFFFFFFFF, 0) in found
    assert PACKED.size == 24
