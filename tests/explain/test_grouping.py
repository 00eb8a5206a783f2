"""Calls grouped into acts."""

from __future__ import annotations

import pytest

from scopetrace.explain.grouping import Acts
from scopetrace.explain.subject import Subject
from scopetrace.query import open_session
from scopetrace.syscalls.call import Piece
from support.packed_builder import call, record_calls, text

CWD = -100 & 0xFFFFFFFF
FILE = Piece(1, 1, 0x5000, bytes(24) + (0o100644).to_bytes(4, "little") + bytes(116))


def opened(path: str, fd: int, at: float, flags: int = 0):
    return call("openat", CWD, 0x2000, flags, 0, result=fd, at=at, memory=[text(1, path)])


def stat(path: str, at: float, result: int = 0):
    return call("stat", 0x1000, 0x5000, result=result, at=at, memory=[text(0, path), FILE])


@pytest.fixture
def acts(tmp_path):
    def lines(*calls) -> list[str]:
        with open_session(record_calls(tmp_path, calls)) as session:
            found, acts = [], Acts(lambda path: not path.startswith("/usr/"))
            for made, files in session.syscall_query().follow():
                found += [act.line() for act in acts.take(Subject(made, files))]
            return [*found, *(act.line() for act in acts.end())]

    return lines


def test_a_file_is_one_act_from_its_opening_to_its_closing(acts):
    found = acts(
        opened("/etc/hosts", 3, 0.1),
        call("fstat", 3, 0x5000, at=0.2, memory=[FILE]),
        call("read", 3, 0x6000, 99, result=42, at=0.3),
        call("getpid", result=7, at=0.35),
        call("read", 3, 0x6000, 99, result=0, at=0.4),
        call("close", 3, at=0.5),
    )

    assert found == [
        "Read the file /etc/hosts (42 bytes) [open, fstat, 2 reads, close]",
        "Asked for the process's own number: 7 [getpid]",
    ]


def test_bytes_that_were_read_twice_are_not_more_than_the_file_has(acts):
    found = acts(
        opened("/a", 3, 0.1),
        call("read", 3, 0x6000, 99, result=22, at=0.2),
        call("lseek", 3, 0, 0, result=0, at=0.3),
        call("read", 3, 0x6000, 999, result=244, at=0.4),
        call("close", 3, at=0.5),
    )

    assert found == [
        "Read the file /a (266 bytes, as parts were read more than once)"
        " [open, 2 reads, lseek, close]"
    ]


def test_what_only_the_c_library_calls_is_housekeeping(acts):
    assert acts(call("set_robust_list", 0x1000, 24)) == [
        "Did housekeeping of the C library and the language [set_robust_list]"
    ]


def test_housekeeping_is_told_with_the_act_behind_it(acts):
    found = acts(
        call("set_robust_list", 0x1000, 24, at=0.1),
        call("chdir", 0x1000, at=0.2, memory=[text(0, "/a")]),
        call("futex", 0x1000, 129, 1, result=0, at=0.3),
        call("chdir", 0x1000, at=0.4, memory=[text(0, "/b")]),
    )

    assert found == [
        "Changed the working folder to /a [set_robust_list, chdir]",
        "Changed the working folder to /b [futex, chdir]",
    ]


def test_attributes_of_a_file_are_asked_for_with_the_rest(acts):
    names = [text(0, "/a"), text(1, "security.selinux")]
    found = acts(
        stat("/a", 0.1),
        call("lgetxattr", 0x1000, 0x2000, 0, 0, result=-61, at=0.2, memory=names),
        call("getxattr", 0x1000, 0x2000, 0, 0, result=-95, at=0.3, memory=names),
    )

    assert found == ["Asked about /a: it is empty [stat, lgetxattr, getxattr]"]


def test_a_service_of_the_system_that_is_not_there_is_the_systems(acts):
    address = Piece(1, 0, 0x2000, b"\1\0/usr/nscd\0")
    found = acts(
        call("socket", 1, 1, 0, result=3, at=0.1),
        call("connect", 3, 0x2000, 12, result=-2, at=0.2, memory=[address]),
        call("close", 3, at=0.3),
        opened("/usr/b", 3, 0.4),
        call("close", 3, at=0.5),
    )

    assert found == [
        "For the system and the language: used 1 file (/usr/b) and looked for 1 file in vain"
        " [5 calls]"
    ]


def test_a_descriptor_that_is_used_again_is_another_act(acts):
    found = acts(
        opened("/a", 3, 0.1, 1),
        call("write", 3, 0x2000, 2, result=2, at=0.2, memory=[Piece(1, 0, 0x2000, b"hi")]),
        call("close", 3, at=0.3),
        opened("/b", 3, 0.4),
        call("read", 3, 0x6000, 9, result=9, at=0.5),
    )

    assert found == [
        'Wrote 2 bytes to the file /a: "hi" [open, write, close]',
        "Read the file /b (9 bytes); it stays open as descriptor 3 [open, read]",
    ]


def test_alike_calls_that_follow_each_other_are_one_act(acts):
    found = acts(
        stat("/a", 0.1, -2),
        stat("/b", 0.2, -2),
        stat("/c", 0.3),
        stat("/d", 0.4),
        call("getpid", result=7, at=0.5),
        stat("/e", 0.6, -2),
    )

    assert found == [
        "Looked for 2 files that are not there: /a and /b [2 stats]",
        "Asked about /c and /d [2 stats]",
        "Asked for the process's own number: 7 [getpid]",
        "Looked for /e: it is not there (ENOENT) [stat]",
    ]


def test_calls_of_other_threads_do_not_part_an_act(acts):
    found = acts(
        stat("/a", 0.1),
        call("getppid", result=7, at=0.2, tid=72),
        stat("/b", 0.3),
        call("getuid", result=7, at=0.4, tid=72),
    )

    assert found == [
        "Asked about /a and /b [2 stats]",
        "Asked who it is and who runs it [getppid, getuid]",
    ]


def test_what_belongs_to_the_system_is_one_act(acts):
    found = acts(
        stat("/usr/a", 0.1, -2),
        call("brk", 0, result=0x1000, at=0.2),
        opened("/usr/b", 3, 0.3),
        call("close", 3, at=0.4),
        stat("/own", 0.5),
        call("brk", 0x3000, result=0x3000, at=0.6),
    )

    assert found[0] == (
        "For the system and the language: used 1 file (/usr/b) and looked for 1 file in vain"
        " [4 calls]"
    )
    assert found[1].startswith("Asked about /own: it is ")
    assert found[2] == "Moved the end of the heap [brk]"


def test_a_connection_says_what_it_carried(acts):
    address = Piece(1, 0, 0x2000, bytes([2, 0, 0, 80, 127, 0, 0, 1]) + bytes(8))
    found = acts(
        call("socket", 2, 1, 0, result=3, at=0.1),
        call("connect", 3, 0x2000, 16, at=0.2, memory=[address]),
        call("sendto", 3, 0, 5, result=5, at=0.3),
        call("recvfrom", 3, 0, 9, result=9, at=0.4),
        call("close", 3, at=0.5),
    )

    assert found == [
        "Talked to 127.0.0.1:80: 5 bytes out, 9 bytes in [socket, connect, sendto, recvfrom, close]"
    ]


ADDRESS = Piece(1, 0, 0x2000, bytes([2, 0, 0, 80, 127, 0, 0, 1]) + bytes(8))


def ended(error: int, at: float):
    value = Piece(3, 1, 0x3000, error.to_bytes(4, "little"))
    return call("getsockopt", 3, 1, 4, 0x3000, 0x4000, at=at, memory=[value])


def test_a_connection_that_is_made_without_waiting_is_one(acts):
    found = acts(
        call("socket", 2, 1, 0, result=3, at=0.1),
        call("connect", 3, 0x2000, 16, result=-115, at=0.2, memory=[ADDRESS]),
        ended(0, 0.3),
        call("sendto", 3, 0, 5, result=5, at=0.4),
        call("close", 3, at=0.5),
    )

    assert found == [
        "Talked to 127.0.0.1:80: 5 bytes out [socket, connect, getsockopt, sendto, close]"
    ]


@pytest.mark.parametrize("error", [0, 111])
def test_a_connection_that_failed_says_so(acts, error):
    found = acts(
        call("socket", 2, 1, 0, result=3, at=0.1),
        call("connect", 3, 0x2000, 16, result=-(error or 115), at=0.2, memory=[ADDRESS]),
        ended(error or 111, 0.3),
        call("close", 3, at=0.5),
    )

    assert found[0].startswith("Made a TCP socket (IPv4), as descriptor 3; could not connect to")
    assert "127.0.0.1:80" in found[0] and "ECONNREFUSED" in found[0]


def test_a_failure_within_an_act_is_not_hidden(acts):
    found = acts(
        opened("/a", 3, 0.1), call("read", 3, 0, 9, result=-21, at=0.2), call("close", 3, at=0.3)
    )

    assert "; could not read up to 9 bytes from /a (descriptor 3): EISDIR" in found[0]


def test_a_redirection_is_one_act(acts):
    found = acts(
        opened("/out", 3, 0.1, 0o1101),
        call("dup2", 3, 1, result=1, at=0.2),
        call("close", 3, at=0.3),
        call("write", 1, 0x2000, 2, result=2, at=0.4, memory=[Piece(1, 0, 0x2000, b"hi")]),
    )

    assert found[0] == (
        "Made standard output lead to the file /out; it was created if it was not there, and"
        " emptied if it was [open, dup2, close]"
    )
    assert found[1] == 'Wrote 2 bytes to standard output (/out): "hi" [write]'


def test_what_a_child_closes_is_not_closed_for_its_parent(acts):
    found = acts(
        opened("/a", 3, 0.1),
        call("clone", 0x11, result=71, at=0.2),
        call("close", 3, at=0.3, process=2, tid=71),
        call("read", 3, 0x6000, 9, result=9, at=0.4),
        call("close", 3, at=0.5),
    )

    assert "Read the file /a (9 bytes) [open, read, close]" in found


def test_a_search_through_folders_is_one_act(acts):
    found = acts(stat("/a/ls", 0.1, -2), stat("/usr/b/ls", 0.2, -2), stat("/ls", 0.3, -2))

    assert found == ["Looked for ls in 3 folders where it is not: /a, /usr/b and / [3 stats]"]


def test_a_search_ends_with_what_a_shell_asks_about_the_file_that_it_has_found(acts):
    found = acts(
        stat("/a/ls", 0.1, -2),
        stat("/usr/bin/ls", 0.2),
        call("geteuid", result=7, at=0.3),
        call("access", 0x1000, 1, at=0.4, memory=[text(0, "/usr/bin/ls")]),
        stat("/a/wc", 0.5, -2),
        stat("/usr/bin/ls", 0.6),
        call("geteuid", result=7, at=0.7),
    )

    assert found == [
        "Looked for ls in 1 folder where it is not: /a, and found it in /usr/bin"
        " [2 stats, geteuid, access]",
        "Looked for /a/wc: it is not there (ENOENT) [stat]",
        "Asked about /usr/bin/ls: it is empty [stat]",
        "Asked with which user's rights the process runs: 7 [geteuid]",
    ]


def test_a_question_that_was_shown_is_not_shown_again_among_the_systems_own(acts):
    found = acts(
        stat("/a", 0.1),
        stat("/usr/1", 0.2),
        stat("/a", 0.3),
        stat("/usr/2", 0.4),
        stat("/a", 0.5),
        stat("/usr/3", 0.6),
    )

    assert len(found) == 2 and "used 3 files" in found[1] and found[1].endswith("[5 calls]")


def masked(how: int, new: int | None, old: int, at: float):
    """Build a sigprocmask(2) from the mask `old`."""
    memory = [Piece(2, 1, 0x3000, old.to_bytes(8, "little"))]
    if new is not None:
        memory.append(Piece(1, 0, 0x2000, new.to_bytes(8, "little")))
    pointer = 0 if new is None else 0x2000
    return call("rt_sigprocmask", how, pointer, 0x3000, 8, at=at, memory=memory)


def test_signals_that_are_held_back_for_a_while_are_no_act(acts):
    found = acts(
        masked(0, 0x4000, 0, 0.1),
        masked(2, 0, 0x4000, 0.2),
        call("chdir", 0x1000, at=0.3, memory=[text(0, "/a")]),
        masked(0, None, 0, 0.4),
        call("fork", result=9, at=0.5),
        masked(0, 0x4000, 0, 0.6),
        masked(2, 2, 0x4000, 0.7),
        call("fork", result=10, at=0.8),
        masked(2, 0, 2, 0.9),
        masked(2, 4, 0, 1.0),
        call("fork", result=11, at=1.1),
    )

    assert found == [
        "Changed the working folder to /a [2 sigprocmasks, chdir]",
        "Started a child, a copy of this process: process 9 [sigprocmask, fork]",
        "Changed which signals are held back [2 sigprocmasks]",
        "Started a child, a copy of this process: process 10 [fork]",
        "Started a child, a copy of this process: process 11 [2 sigprocmasks, fork]",
    ]


def test_that_the_signals_are_set_that_are_held_back_is_shown_once(acts):
    found = acts(
        masked(2, 2, 0, 0.1),
        call("fork", result=9, at=0.2),
        masked(2, 4, 2, 0.3),
        call("fork", result=10, at=0.4),
        masked(0, 8, 4, 0.5),
    )

    assert [line.partition(":")[0] for line in found] == [
        "Set which signals are held back",
        "Started a child, a copy of this process",
        "Started a child, a copy of this process",
        "Held SIGILL back for now [sigprocmask]",
    ]


def test_a_question_with_the_same_answer_is_shown_once(acts):
    asked = [
        call("ioctl", 5, 0x5413, 0x2000, result=-25, at=0.1),
        call("chdir", 0x1000, at=0.2, memory=[text(0, "/a")]),
        call("ioctl", 5, 0x5401, 0x2000, result=-25, at=0.3),
        call("chdir", 0x1000, at=0.4, memory=[text(0, "/b")]),
        call("ioctl", 5, 0x5413, 0x2000, result=-25, at=0.5),
    ]

    assert acts(*asked) == [
        "Asked whether descriptor 5 is a terminal: it is none (ENOTTY) [ioctl]",
        "Changed the working folder to /a [chdir]",
        "Changed the working folder to /b [ioctl, chdir]",
        "Asked whether descriptor 5 is a terminal: it is none (ENOTTY) [ioctl]",
    ]


def test_a_file_that_stays_open_does_not_hold_back_the_rest_for_ever(tmp_path):
    calls = [opened("/log", 3, 0.1), *(stat(f"/{n}", 0.2 + n / 1000, -(n % 2)) for n in range(600))]
    with open_session(record_calls(tmp_path, calls)) as session:
        acts = Acts(lambda path: True)
        made = [
            act for shown in session.syscall_query().follow() for act in acts.take(Subject(*shown))
        ]

    assert len(made) > 300


def served(*then):
    return [
        call("socket", 2, 1, 0, result=3, at=0.1),
        call("bind", 3, 0x2000, 16, at=0.2, memory=[ADDRESS]),
        call("listen", 3, 5, at=0.3),
        *then,
    ]


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        (
            [call("rt_sigaction", n, 0x1000, 0, 8, at=n / 10) for n in (1, 2)],
            "Asked or set what happens when SIGHUP and SIGINT come [2 sigactions]",
        ),
        (
            [call("rt_sigaction", 2, 0x1000, 0, 8, at=n / 10) for n in (1, 2)],
            "Asked or set what happens when SIGINT comes [2 sigactions]",
        ),
        (
            [masked(0, None, 0, 0.1), masked(0, None, 0, 0.2)],
            "Asked which signals are held back [2 sigprocmasks]",
        ),
        (
            [
                call("brk", 0, result=0x1000, at=0.1),
                call("brk", 0x1400, result=0x1400, at=0.2),
                call("mmap", 0, 4096, 3, 0x22, -1, 0, result=0x7000, at=0.3),
            ],
            "Got 5120 bytes of memory [2 brks, mmap]",
        ),
        (
            [
                call("munmap", 0x7000, 4096, at=0.1),
                call("mmap", 0, 4096, 3, 0x22, -1, 0, result=-12, at=0.2),
            ],
            "Managed its memory [munmap, mmap]",
        ),
        (
            [call("fstat", n, 0x5000, at=n / 10 + 0.1, memory=[FILE]) for n in (0, 1)],
            "Found out what it has as standard input and standard output [2 fstats]",
        ),
        (
            [
                call("write", 1, 0x2000, 2, result=2, at=0.1, memory=[Piece(1, 0, 0x2000, b"hi")]),
                call("write", 1, 0x2000, 3, result=3, at=0.2, memory=[Piece(1, 0, 0x2000, b"you")]),
            ],
            'Wrote 5 bytes to standard output: "hiyou" [2 writes]',
        ),
        (
            [opened("/a", 3, 0.1, 2), call("fsync", 3, at=0.2), call("close", 3, at=0.3)],
            "Waited until /a was on the disk [open, fsync, close]",
        ),
        (
            [
                opened("/a", 3, 0.1, 2),
                call("read", 3, 0x6000, 9, result=4, at=0.2),
                call("pwrite64", 3, 0x6000, 2, 0, result=2, at=0.3),
                call("close", 3, at=0.4),
            ],
            "Used the file /a: 4 bytes read, 2 bytes written [open, read, pwrite, close]",
        ),
        (
            [
                opened("/a", 3, 0.1),
                call("getdents64", 3, 0x6000, 99, result=24, at=0.2),
                call("getdents64", 3, 0x6000, 99, result=0, at=0.3),
                call("close", 3, at=0.4),
            ],
            "Listed the folder /a [open, 2 getdents, close]",
        ),
        (
            [
                opened("/a.so", 3, 0.1),
                call("mmap", 0, 4096, 1, 2, 3, 0, result=0x7000, at=0.2),
                call("close", 3, at=0.3),
            ],
            "Loaded the file /a.so into memory [open, mmap, close]",
        ),
        (
            [opened("/a", 3, 0.1), call("close", 3, at=0.2)],
            "Opened the file /a and closed it again [open, close]",
        ),
        (
            served(),
            "Got ready to accept connections at 127.0.0.1:80; it stays open as descriptor 3"
            " [socket, bind, listen]",
        ),
        (
            [
                call("socket", 2, 1, 0, result=3, at=0.1),
                call("connect", 3, 0x2000, 16, at=0.2, memory=[ADDRESS]),
                call("close", 3, at=0.3),
            ],
            "Connected to 127.0.0.1:80 [socket, connect, close]",
        ),
    ],
)
def test_what_several_calls_did_together(acts, calls, expected):
    assert acts(*calls) == [expected]
