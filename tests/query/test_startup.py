"""Which events and flows belong to the start-up of a program."""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.model.event import Event
from scopetrace.model.process import ProcessEnd
from scopetrace.query import open_session
from support.flow_builder import ENDS, UNIX_ENDS, opened
from support.session_builder import STARTED_NS, begin, closed, event, image

RULES = "scopetrace: {pathclasses: {caches: ['[.]pyc$'], loader: ['[.]so$'], system: ['/nscd/']}}"
PAIR = {"net_transport": "Unix.TCP", "unix_local_inode": 5, "unix_peer_inode": 6}
NSCD = {**UNIX_ENDS, "unix_peer_path": "/run/nscd/socket"}
REFUSED = {"op": "newfstatat", "error": "EACCES", "class": "stat"}
MISSED = {"op": "execve", "error": "ENOENT"}


@pytest.mark.parametrize(
    ("found", "is_start_up"),
    [
        (closed("/lib/libc.so"), True),
        (closed("/home/ann/a.txt"), False),
        (closed("/usr/bin/tool-1.2"), True),
        (closed("/usr/bin/tool-1.3"), False),
        (event("fs.rename", op="rename", file="/a.so", file_new="/b.so"), False),
        (event("fs.rename", op="rename", file="/a.pyc", file_new="/b.pyc"), True),
        (event("fs.open", op="open", file="/a.so", flags="O_RDONLY"), True),
        (event("fs.open", op="open", file="/a.so", flags="O_WRONLY|O_TRUNC"), False),
        (event("fs.open", op="open", file="/a.so", flags="O_RDWR", file_created=True), False),
        (event("fs.open", op="open", file="/a.so", flags="O_RDWR|O_TMPFILE"), False),
        (event("fs.open", op="open", file="/a.so", flags="O_RDONLY|O_CREAT|O_EXCL"), False),
        (event("fs.open", op="open", file="/a.so", flags="O_RDONLY|O_CREAT"), True),
        (closed("/a.so", file_write_ops=1, file_write_bytes=5), False),
        (closed("/a.pyc", file_write_ops=1, file_write_bytes=5), True),
        (event("fs.delete", op="unlink", file="/a.so"), False),
        (event("fs.rename", op="rename", file="/a.tmp", file_new="/b.so"), False),
        (event("fs.error", file="/opt/bin/python3", **MISSED), True),
        (event("fs.error", file="/opt/bin/tool", **MISSED), True),
        (event("fs.error", file="/opt/bin/other", **MISSED), False),
        (event("fs.error", file="/opt/bin/tool", op="open", error="EACCES"), False),
        (event("fs.error", file="/root/bin/tool", **REFUSED), True),
        (event("fs.error", file="/var/log/tool", **REFUSED), False),
        (event("fs.error", file="/root/bin/other", **REFUSED), False),
        (event("fs.error", file="/root/bin/gnm", **MISSED), True),
        (event("fs.error", file="/home/ann/gnm", **MISSED), False),
        (event("fs.error", file="/home/ann/a.h.gch", **MISSED), True),
        (event("fs.error", file="/home/ann/RCS", op="open", error="EACCES"), False),
        (closed("/home/ann/RCS"), False),
        (opened(**PAIR), True),
        (opened(**NSCD), True),
        (opened(**UNIX_ENDS), False),
        (opened(**ENDS), False),
        (event("net.error", op="connect", error="ENOENT", **NSCD), True),
        (event("net.error", op="socket", error="EMFILE"), False),
        (event("stdout", message="/lib/libc.so"), False),
        (event("proc.start", op="execve", exe="/lib/x.so"), False),
    ],
)
def test_an_event_is_told_by_its_path(tmp_path: Path, found: Event, is_start_up: bool) -> None:
    writer = begin(tmp_path, config=RULES)
    writer.add_process(image(2, exe="/usr/bin/tool-1.2", cmd="/usr/bin/tool -v"))
    writer.add_events([found])
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        (record,) = session.events()
        start_up = session.start_up()
        own, hidden = session.own_events(5)

        assert start_up.has_event(record) is is_start_up
        assert (len(own), hidden) == ((0, 1) if is_start_up else (1, 0))
        for flow in session.flows():
            assert start_up.has_flow(flow) is is_start_up


def test_what_the_command_names_is_its_own_work_but_for_the_program_itself(
    tmp_path: Path,
) -> None:
    writer = begin(tmp_path, config=RULES, args=("/lib/x.so", "y.so"), cwd="/lib")
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        class_of = session.start_up().class_of

        assert (class_of("/lib/x.so"), class_of("/lib/y.so")) == ("loader", "own")


SHIM = ("bash", "/opt/.pyenv/shims/tool", "-v")
SCRIPTS = "scopetrace: {pathclasses: {interpreter: ['/[.]pyenv/'], packages: ['/node_modules/']}}"


@pytest.mark.parametrize(
    ("exe", "args", "cwd", "is_start_up"),
    [
        ("/bin/bash", SHIM, "/", True),
        ("/bin/bash", ("bash", "-e", *SHIM[1:]), "/", True),
        ("/usr/bin/env", ("env", *SHIM), "/", True),
        ("/usr/bin/env", ("env", SHIM[1]), "/", False),
        ("/bin/sh", ("sh", "../node_modules/.bin/eslint"), "/work/src", True),
        ("/bin/sh", ("sh", "tool"), "/opt/.pyenv/shims", False),
        ("/bin/sh", ("sh", "-c", SHIM[1]), "/", False),
        ("/bin/sh", ("sh", "-ec", SHIM[1] + " -v"), "/", False),
        ("/usr/bin/perl", ("perl", "-e", "exec '/opt/.pyenv/shims/tool'"), "/", False),
        ("/bin/sh", ("sh", "/work/entry.sh", SHIM[1]), "/", False),
        ("/opt/.pyenv/bin/python3", ("python3", "app.py"), "/work", False),
        ("/bin/sh", ("sh",), "/opt/.pyenv/shims", False),
    ],
)
def test_scripts_that_stand_before_a_program_are_start_up_with_all_that_they_started(
    exe: str, args: tuple[str, ...], cwd: str, is_start_up: bool, tmp_path: Path
) -> None:
    facts = {"exe": exe, "args": args, "cmd": " ".join(args), "cwd": cwd}
    writer = begin(tmp_path, config=SCRIPTS)
    for each in (
        image(2, pid=71, parent=1, **facts),
        image(3, pid=72, parent=2, **facts),
        image(4, pid=72, parent=3, exe="/bin/readlink"),
        image(5, pid=73, parent=4),
        image(6, pid=71, parent=2, exe="/bin/tool"),
        image(7, pid=74, parent=6),
        image(8, pid=75, parent=1, **facts),
        image(9, pid=76, parent=8),
    ):
        writer.add_process(each)
    for replaced in (2, 3):
        writer.end_process(ProcessEnd(replaced, STARTED_NS, None, None, True))
    changes = {"file": "/home/ann/a", "op": "openat", "flags": "O_WRONLY|O_TRUNC"}
    writer.add_events(
        [
            *(event("proc.exit", process=number) for number in range(1, 10)),
            event("fs.open", process=3, op="openat", file="/home/ann/a", flags="O_RDONLY"),
            event("fs.open", process=3, **changes),
            event("stderr", process=3, message="no version is set"),
        ]
    )
    writer.finish(exit_code=0)

    with open_session(writer.path) as session:
        assert session.start_up_images() == ({2, 3, 4, 5} if is_start_up else set())
        own, hidden = session.own_events(20)
    assert hidden == (5 if is_start_up else 0)
    assert [each.source for each in own[-2:]] == ["fs.open", "stderr"]
    assert own[-2].data["flags"] == changes["flags"]


def test_own_events_are_found_behind_many_others(tmp_path: Path) -> None:
    writer = begin(tmp_path, config=RULES)
    writer.add_events([closed("/first"), *[closed("/lib/libc.so")] * 1200, closed("/last")])
    writer.finish(exit_code=0)
    with open_session(writer.path) as session:
        last, hidden = session.own_events(1)
        both, all_hidden = session.own_events(5)

    assert ([each.data["file"] for each in last], hidden) == (["/last"], 0)
    assert ([each.data["file"] for each in both], all_hidden) == (["/first", "/last"], 1200)
