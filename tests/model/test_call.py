from __future__ import annotations

import pytest

from scopetrace import _engine
from scopetrace.model.call import Call, call_table

CALLS = {call.name: call for call in call_table(_engine.calls())}


def test_a_row_has_the_positions_of_its_arguments_as_a_manual_page_counts_them():
    rename, send, sendfile = CALLS["renameat2"], CALLS["sendmsg"], CALLS["sendfile"]

    assert (rename.group, rename.dirfd, rename.dirfd2, rename.fd) == ("rename", 1, 3, 0)
    assert (send.direction, send.fd, send.options) == ("out", 1, 3)
    assert (sendfile.direction, sendfile.fd, sendfile.fd2) == ("across", 2, 1)


@pytest.mark.parametrize(
    ("name", "op"), [("openat", "openat"), ("fcntl__lock", "fcntl"), ("_llseek", "_llseek")]
)
def test_a_row_of_a_case_has_the_name_of_its_call(name, op):
    assert CALLS[name].op == op


def test_a_row_without_arguments_has_no_positions():
    assert (Call("getcwd", "touch").fd, Call("getcwd", "touch").direction) == (0, "")
