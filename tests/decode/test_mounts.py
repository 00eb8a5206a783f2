"""Which mount a path is on."""

from __future__ import annotations

import pytest

from scopetrace.decode.mounts import find_mount, mount_inside

TABLE = rb"""
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
30 22 0:5 / /proc rw,nosuid,noexec - proc proc rw
31 22 0:9 / /mnt/a\040b rw - tmpfs tmpfs rw,size=4k
32 31 0:9 / /mnt/a\040b/c ro,noexec - tmpfs tmpfs ro
33 22 0:8 / /proc ro - tmpfs over rw
a line that is too short
"""


@pytest.mark.parametrize(
    ("path", "point", "option"),
    [
        ("/etc/x", "/", "relatime"),
        ("/mnt/a b/x", "/mnt/a b", "size=4k"),
        ("/mnt/a b", "/mnt/a b", "size=4k"),
        ("/mnt/a bc", "/", "relatime"),
        ("/mnt/a b/c/d/e", "/mnt/a b/c", "noexec"),
        ("/proc/1", "/proc", "ro"),
    ],
)
def test_the_innermost_mount_that_was_made_last(path: str, point: str, option: str) -> None:
    found = find_mount(TABLE, path)

    assert found is not None
    assert found.point == point
    assert option in found.options


@pytest.mark.parametrize(
    ("path", "inside"), [("/mnt/a b", "/mnt/a b/c"), ("/mnt/a b/c", None), ("/proc", None)]
)
def test_what_is_mounted_inside_of_a_mount(path: str, inside: str | None) -> None:
    assert mount_inside(TABLE, path) == inside


def test_no_mount_of_an_empty_table() -> None:
    assert find_mount(b"", "/x") is None
