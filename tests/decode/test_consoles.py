from __future__ import annotations

import os

import pytest

from scopetrace.decode.decoder import Decoder
from scopetrace.model.operation import Written
from scopetrace.model.raw import Part
from support.raw_builder import PIPE, REGULAR, TERMINAL, Tracee, pack_stat

CONSOLE_INODE = 5
"""What `Tracee.found` and `inherit` give unless the test says otherwise about."""
PTS_1 = os.makedev(136, 1)
NULL = os.makedev(1, 3)
TTY_INODE = 9


def opened(tracee: Tracee, path: str, link: str, fd: int = 3, mode: int = PIPE, **more) -> None:
    stat = {"ino": CONSOLE_INODE, **more.pop("stat", {})}
    parts = {Part.PATH: path.encode(), Part.LINK: link.encode(), Part.STAT: pack_stat(mode, **stat)}
    tracee.call("openat", -100, 0, os.O_WRONLY, result=fd, parts=parts, **more)


def inherited(tracee: Tracee, fd: int, link: str, mode: int, **stat: int) -> None:
    tracee.inherit(fd, link, mode, stat={"ino": CONSOLE_INODE, **stat})


def console_of(tracee: Tracee, decoding, fd: int = 3, **more) -> str:
    tracee.write(fd, b"x", **more)
    return decoding.one(Written).file.console


@pytest.fixture
def decoding_of(decoding):
    """What decodes another program, from its beginning."""
    return type(decoding)


@pytest.fixture
def piped():
    """A program whose stdout and stderr are two pipes, and that has forked."""
    tracee = Tracee()
    inherited(tracee, 1, "pipe:[5]", PIPE)
    inherited(tracee, 2, "pipe:[6]", PIPE, ino=6)
    tracee.exec("/bin/prog")
    tracee.fork(200)
    return tracee


@pytest.mark.parametrize(
    "path", ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/7", "/var/log/access.log"]
)
def test_a_pipe_that_is_opened_again_is_the_console(piped, decoding_of, path):
    decoding = decoding_of(piped)
    opened(piped, path, "pipe:[5]", pid=200)
    assert console_of(piped, decoding, pid=200) == "stdout"

    opened(piped, path, "pipe:[6]", stat={"ino": 6})
    assert console_of(piped, decoding) == "stderr"

    opened(piped, path, "pipe:[7]", stat={"ino": 7})
    assert console_of(piped, decoding) == ""


def test_a_file_is_the_console_as_long_as_anybody_has_it_open(decoding_of):
    tracee = Tracee()
    decoding = decoding_of(tracee)
    inherited(tracee, 1, "/home/me/out.txt", REGULAR)
    tracee.exec("/bin/prog")
    opened(tracee, "out.txt", "/home/me/out.txt", mode=REGULAR)
    assert console_of(tracee, decoding) == "stdout"

    tracee.close(1)
    opened(tracee, "out.txt", "/home/me/out.txt", fd=4, mode=REGULAR)
    assert console_of(tracee, decoding, 4) == "stdout"

    tracee.close(3)
    tracee.close(4)
    decoding.go()
    opened(tracee, "new.txt", "/home/me/new.txt", mode=REGULAR)
    assert console_of(tracee, decoding) == ""


def test_what_goes_into_dev_null_is_no_console_if_another_opens_it(decoding_of):
    tracee = Tracee()
    decoding = decoding_of(tracee)
    inherited(tracee, 2, "/dev/null", 0o020666, rdev=NULL)
    tracee.exec("/bin/prog")
    opened(tracee, "/dev/null", "/dev/null", mode=0o020666, stat={"rdev": NULL})
    assert console_of(tracee, decoding) == ""
    assert console_of(tracee, decoding, 2) == "stderr"


@pytest.fixture
def on_terminal():
    """A program whose fds 0 to 2 are one terminal."""
    tracee = Tracee()
    for fd in range(3):
        inherited(tracee, fd, "/dev/pts/1", TERMINAL, rdev=PTS_1)
    tracee.exec("/bin/prog")
    return tracee


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/dev/pts/1", "stdout"),
        ("/dev/stdout", "stdout"),
        ("/dev/stderr", "stderr"),
        ("/dev/fd/2", "stderr"),
        ("/proc/self/fd/2", "stderr"),
        ("/proc/thread-self/fd/1", "stdout"),
        ("/proc/100/fd/2", "stderr"),
        ("/proc/100/task/100/fd/9", "stderr"),
        ("/dev/fd/0", "stdout"),
        ("/dev/fd/77", "stdout"),
        ("/home/me/2", "stdout"),
    ],
)
def test_of_one_terminal_the_name_follows_from_how_it_is_opened(
    on_terminal, decoding_of, path, name
):
    decoding = decoding_of(on_terminal)
    on_terminal.call("dup2", 2, 9, result=9)
    opened(on_terminal, path, "/dev/pts/1", mode=TERMINAL, stat={"rdev": PTS_1})

    assert console_of(on_terminal, decoding) == name


def test_dev_tty_is_the_console_if_that_is_the_controlling_terminal(on_terminal, decoding_of):
    decoding = decoding_of(on_terminal)
    tty = {"ino": TTY_INODE, "rdev": PTS_1}
    opened(on_terminal, "/dev/tty", "/dev/tty", mode=TERMINAL, stat=tty)
    assert console_of(on_terminal, decoding) == "stdout"

    tty["rdev"] = os.makedev(136, 2)
    opened(on_terminal, "/dev/tty", "/dev/tty", mode=TERMINAL, stat=tty)
    assert console_of(on_terminal, decoding) == ""


def test_dev_tty_as_the_console_is_no_other_process_dev_tty(decoding_of):
    tracee = Tracee()
    decoding = decoding_of(tracee)
    inherited(tracee, 1, "/dev/tty", TERMINAL, ino=TTY_INODE, rdev=PTS_1)
    tracee.exec("/bin/prog")
    for rdev, name in ((PTS_1, "stdout"), (os.makedev(136, 2), "")):
        stat = {"ino": TTY_INODE, "rdev": rdev}
        opened(tracee, "/dev/tty", "/dev/tty", mode=TERMINAL, stat=stat)
        assert console_of(tracee, decoding) == name


def test_stdin_is_the_console_if_it_is_the_same_terminal(on_terminal, decoding_of):
    decoding = decoding_of(on_terminal)
    assert console_of(on_terminal, decoding, 0) == "stdout"
    assert console_of(on_terminal, decoding, 2) == "stderr"


def test_an_fd_whose_open_was_missed_may_be_the_console(piped, decoding_of):
    decoding = decoding_of(piped)
    piped.found(7, "pipe:[5]", PIPE)
    assert console_of(piped, decoding, 7) == "stdout"

    piped.found(8, "pipe:[8]", PIPE, ino=8)
    assert console_of(piped, decoding, 8) == ""


def test_a_socket_is_no_console_of_another_fd(decoding_of):
    tracee = Tracee()
    decoding = decoding_of(tracee)
    tracee.inherit_socket(0, 1)
    tracee.exec("/bin/prog")
    decoding.go()

    assert decoding.decoder.state.consoles._by_inode == {}


def test_the_consoles_of_a_session_are_its_own():
    assert Decoder((), print, 0).state.consoles is not Decoder((), print, 0).state.consoles
