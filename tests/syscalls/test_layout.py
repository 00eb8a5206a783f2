"""How structures lie in memory."""

from __future__ import annotations

from scopetrace.syscalls.call import Abi
from scopetrace.syscalls.layout import layout, size_of


def test_a_long_of_the_kernel_is_64_bits_wide_in_x32() -> None:
    assert [size_of("timespec", abi) for abi in Abi] == [16, 8, 16]
    assert [size_of("ulong", abi) for abi in Abi] == [8, 4, 4]


def test_fields_lie_where_a_compiler_puts_them() -> None:
    found = layout("pollfd", Abi.X86_64)
    assert found is not None
    assert [(field.name, field.offset) for field in found.fields] == [
        ("fd", 0),
        ("events", 4),
        ("revents", 6),
    ]


def test_what_is_no_structure_has_no_size() -> None:
    assert size_of("path", Abi.X86_64) == 0
