from __future__ import annotations

import os

import pytest

from scopetrace.sources.fs.flags import flag_names, octal_digits


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (os.O_RDONLY, "O_RDONLY"),
        (os.O_RDONLY | os.O_CLOEXEC, "O_RDONLY|O_CLOEXEC"),
        (os.O_WRONLY | os.O_CREAT | os.O_TRUNC, "O_WRONLY|O_CREAT|O_TRUNC"),
        (os.O_RDWR | os.O_SYNC, "O_RDWR|O_SYNC"),
        (os.O_RDWR | os.O_DSYNC, "O_RDWR|O_DSYNC"),
        (os.O_RDWR | os.O_TMPFILE, "O_RDWR|O_TMPFILE"),
        (os.O_DIRECTORY | os.O_PATH, "O_RDONLY|O_DIRECTORY|O_PATH"),
        (3, "O_ACCMODE"),
        (1 << 40, "O_RDONLY|0x10000000000"),
    ],
)
def test_flags_have_the_names_of_the_manual(flags, names):
    assert flag_names(flags) == names


@pytest.mark.parametrize(("mode", "digits"), [(0o100644, 644), (0o104755, 4755), (0o7, 7), (0, 0)])
def test_permissions_read_like_octal_digits(mode, digits):
    assert octal_digits(mode) == digits
