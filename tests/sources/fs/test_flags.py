from __future__ import annotations

import os

import pytest

from scopetrace.sources.fs.flags import flag_names


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
