"""One sentence about one call: right for those that have their own, and never wrong for others."""

from __future__ import annotations

import struct

import pytest

from scopetrace.explain.sentence import sentence, sentence_between
from scopetrace.explain.subject import Subject
from scopetrace.syscalls.call import NOWHERE, WAS_THERE, Abi, Piece
from scopetrace.syscalls.descriptors import Files
from scopetrace.syscalls.recorded import Recorded
from scopetrace.syscalls.rows import rows
from support.packed_builder import call, end, pack_call, signal, text

FILES = Files("/home/ann")
FILES.names.update({1: "/dev/pts/0", 3: "/etc/hosts", 4: "pipe: write end of 3", 5: "TCP→[::1]:80"})
GAPS = ("  ", " .", " ;", " ,", ": .", ":.", "None")
"""What is left where a value is empty."""
AT_CWD = -100 & 0xFFFFFFFF
ALL_CALLS = [
    (row.name, int(abi), number)
    for row in rows()
    for abi in Abi
    if (number := row.numbers[abi]) is not None
]


def recorded(made) -> Recorded:
    """Return a call as it is read from a session."""
    return Recorded(1, made.time_ns, 1000, 1, 70, "cat", *made[3:])


def said(name: str, *args: int, why: str = "", files: Files = FILES, **facts) -> str:
    return sentence(Subject(recorded(call(name, *args, **facts)), files, why))


def test_the_working_folder_is_named():
    folder = Piece(0, 1, 0x2000, b"/home/ann\0")

    assert said("getcwd", 0x2000, 4096, result=10, memory=[folder]) == (
        'Asked for the working folder: "/home/ann".'
    )


def test_an_empty_path_is_not_the_working_folder():
    memory = [text(1, "")]
    found = said("newfstatat", AT_CWD, 0x2000, 0, 0, result=-2, memory=memory, why="it is empty")

    assert found == 'Looked for "": it is empty (ENOENT).'
    of_folder = said("newfstatat", AT_CWD, 0x2000, 0, 0x1000, memory=memory)
    assert of_folder.startswith("Asked about the working folder /home/ann")


O_WRONLY, O_CREAT, O_TRUNC, O_EXCL, O_APPEND = 1, 0o100, 0o1000, 0o200, 0o2000


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0, "for reading, as descriptor 3."),
        (O_WRONLY | O_TRUNC, "for writing, as descriptor 3; it was emptied."),
        (
            O_WRONLY | O_CREAT | O_TRUNC,
            "for writing, as descriptor 3; it was created if it was not there, and emptied if it"
            " was.",
        ),
        (
            O_WRONLY | O_CREAT | O_EXCL,
            "for writing, as descriptor 3; it was not there, and was created.",
        ),
        (O_WRONLY | O_APPEND, "for writing, as descriptor 3; each write goes to its end."),
    ],
)
def test_an_open_says_for_what_and_what_became_of_the_file(flags, expected):
    found = said("openat", AT_CWD, 0x2000, flags, 0, result=3, memory=[text(1, "a.log")])

    assert found == f"Opened /home/ann/a.log {expected}"


@pytest.mark.parametrize(("size", "names"), [(48, "2 names"), (72, "more than 2 names")])
def test_a_list_of_a_folder_says_how_many_names_as_far_as_they_were_kept(size, names):
    entry = struct.pack("<QQHB", 5, 1, 24, 8) + b"a".ljust(5, b"\0")
    kept = Piece(1, 1, 0x5000, 2 * entry)
    found = said("getdents64", 3, 0x5000, 99, result=size, memory=[kept])

    assert found == f"Listed what is in the folder /etc/hosts (descriptor 3): {names}."


def test_a_failure_has_its_reason():
    memory = [text(1, "/a/b")]
    found = said("openat", AT_CWD, 0x2000, 0, result=-2, memory=memory, why="there is no folder /a")

    assert found == "Could not open /a/b for reading: there is no folder /a (ENOENT)."


def test_a_failure_without_a_known_reason_has_the_meaning_of_its_error():
    assert said("close", 9, result=-9).startswith("Could not close descriptor 9: EBADF. The number")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (("close", 3), "Closed /etc/hosts (descriptor 3)."),
        (("close", 4), "Closed the write end of a pipe (descriptor 4)."),
        (("close", 1), "Closed standard output (/dev/pts/0)."),
        (("close", 5), "Closed the TCP connection to [::1]:80 (descriptor 5)."),
        (("getppid",), "Asked for the number of the parent: 0."),
        (("brk", 0), "Asked where the heap ends: at 0x0."),
        (("lseek", 3, 0, 1), "Asked where the position in /etc/hosts (descriptor 3) is: at"
         " byte 0."),
        (("kill", 12, 9), "Sent SIGKILL to process 12."),
        (("kill", 12, 0), "Asked whether process 12 exists: yes."),
        (("fchown", 3, 5, 0xFFFFFFFF), "Gave /etc/hosts (descriptor 3) to user 5."),
        (("fchown", 3, 5, 7), "Gave /etc/hosts (descriptor 3) to user 5 and group 7."),
        (
            ("io_uring_enter", 3, 1, 2, 0, 0, 8),
            "Submitted 1 call to the queue /etc/hosts (descriptor 3), to wait for 2 results:"
            " 0 taken.",
        ),
        (("sched_getscheduler", 99), "Called sched_getscheduler with pid 99; it returned 0."),
        (("kill", 0, 15), "Sent SIGTERM to its process group."),
        (("exit_group", 3), "Ended the process with status 3."),
        (("dup2", 3, 1), "Made standard output lead to /etc/hosts (descriptor 3)."),
        (("dup2", 3, 9), "Made descriptor 9 lead to /etc/hosts (descriptor 3)."),
        (("fcntl", 3, 4, 0o4000), "Switched waiting off for /etc/hosts (descriptor 3): what cannot"
         " be done at once fails with EAGAIN (O_NONBLOCK)."),
        (("fcntl", 3, 3), "Asked how /etc/hosts (descriptor 3) was opened: for reading."),
        (("fcntl", 3, 10, 9), "Did F_SETSIG (set which signal is sent when input or output is"
         " possible) with /etc/hosts (descriptor 3)."),
        (("mount", 0, 0, 0, 1 << 18, 0), "Said who else sees mounts below NULL (MS_PRIVATE)."),
        (("mincore", 0x1000, 4096, 0), "Called mincore with addr 0x1000, length 4096 bytes, vec"
         " NULL; it succeeded."),
    ],
)  # fmt: skip
def test_calls_that_succeeded(made, expected):
    assert said(*made) == expected


def test_a_read_has_its_text_and_its_end_is_another_sentence():
    memory = [Piece(1, 1, 0x2000, b"hello")]

    assert said("read", 3, 0x2000, 99, result=5, memory=memory) == (
        'Read 5 bytes from /etc/hosts (descriptor 3): "hello".'
    )
    assert said("read", 3, 0x2000, 99, result=0) == (
        "Found nothing more to read from /etc/hosts (descriptor 3): it is at its end."
    )
    assert said("read", 3, 0x2000, 0, result=0).startswith("Read 0 bytes")


def test_bytes_that_are_no_text_are_counted_only():
    memory = [Piece(1, 1, 0x2000, b"\x7fELF\1")]

    assert said("read", 3, 0x2000, 99, result=5, memory=memory).endswith("(descriptor 3).")


@pytest.mark.parametrize(
    ("status", "expected"), [(0x300, "ended with status 3"), (9, "was ended by SIGKILL")]
)
def test_a_wait_says_how_the_child_ended(status, expected):
    memory = [Piece(1, 1, 0x2000, struct.pack("=i", status))]

    found = said("wait4", AT_CWD | 0xFFFFFFFF, 0x2000, 0, 0, result=12, memory=memory)

    assert found == f"Waited for a child: process 12 {expected}."


def test_a_call_that_did_not_return():
    assert "had not returned when its thread" in said("read", 3, 0x2000, 9, result=None)
    assert said("read", 3, 0x2000, 9, result=-512).endswith("; a signal interrupted it.")


def test_what_the_program_chose_cannot_forge_a_line():
    memory = [text(1, "a\n\x1b[2Jb\u202e")]

    found = said("openat", AT_CWD, 0x2000, 0, result=3, memory=memory)

    assert found.isprintable()


def test_a_word_of_what_the_kernel_filled_in_is_none_of_the_call():
    old = Piece(2, 1, 0x3000, struct.pack("=QQQQ", 1, 0, 0, 0))
    new = Piece(1, 0, 0x2000, struct.pack("=QQQQ", 0x4000, 0, 0, 0))

    found = said("rt_sigaction", 2, 0x2000, 0x3000, 8, memory=[old, new])

    assert found == "Set a function of the program that runs when SIGINT comes."


def test_an_address_that_leads_nowhere_is_no_path():
    found = said("openat", AT_CWD, 8, 0, result=-14, why="a pointer leads to nothing")

    assert found == "Could not open 0x8 for reading: a pointer leads to nothing (EFAULT)."


def test_a_limit_that_is_set_is_not_one_that_was_asked_for():
    limit = struct.pack("=QQ", 64, 2**64 - 1)

    assert said("prlimit64", 0, 7, 0x2000, 0, memory=[Piece(2, 0, 0x2000, limit)]) == (
        "Set the limit RLIMIT_NOFILE (descriptors: one more than the highest number) to 64, which"
        " may be raised to no limit."
    )
    assert said("prlimit64", 0, 7, 0, 0x2000, memory=[Piece(3, 1, 0x2000, limit)]).startswith(
        "Asked for the limit RLIMIT_NOFILE"
    )


@pytest.mark.parametrize(
    ("timeout", "result", "expected"),
    [
        (0, 0, "Looked whether {}: not yet."),
        (200, 1, "Waited until {}, at most 200 ms: 1 is ready."),
        (-1, 1, "Waited until {}: 1 is ready."),
    ],
)
def test_a_poll_names_its_descriptors(timeout, result, expected):
    memory = [Piece(0, 0, 0x2000, struct.pack("=ihhihh", 3, 1, 0, 5, 5, 0))]
    what = (
        "/etc/hosts (descriptor 3) can be read or the TCP connection to [::1]:80 (descriptor 5) can"
        " be read or written"
    )

    found = said("poll", 0x2000, 2, timeout, result=result, memory=memory)

    assert found == expected.format(what)


def test_a_command_line_is_as_it_was_given():
    words = ["sh", "-c", 'echo "ä $x" > a # and more than 32 bytes']
    pointers = struct.pack("=QQQQ", 0x5000, 0x6000, 0x7000, 0)
    texts = [Piece(1, 0, 0x5000 + 0x1000 * n, f"{w}\0".encode()) for n, w in enumerate(words)]
    memory = [text(0, "/bin/sh"), Piece(1, 0, 0x2000, pointers), *texts]

    assert said("execve", 0x1000, 0x2000, 0, memory=memory).endswith(
        """: sh -c 'echo "ä $x" > a # and more than 32 bytes'."""
    )


@pytest.mark.parametrize("result", [0, -4, -11, -514])
def test_the_end_of_a_handler_has_no_error_of_its_own(result):
    found = said("rt_sigreturn", result=result)

    assert found == "Returned from the function that handled a signal."


def test_signals_and_ends_between_calls():
    arrived = sentence_between(recorded(signal(b"\x11" + bytes(47))))

    assert arrived.startswith("The signal SIGCHLD came: a child ended")
    assert sentence_between(recorded(end(0x300))) == "Process 70 ended with status 3."
    assert sentence_between(recorded(end(9, tid=71))) == "Thread 71 was ended by SIGKILL."


@pytest.mark.parametrize("result", [0, 7, -1, -2, -11, -512, None])
@pytest.mark.parametrize("value", [0, 1, 2**64 - 1])
def test_every_call_has_a_whole_sentence(value, result):
    """Whatever its arguments and result are, and though no memory was copied."""
    data = pack_call([value] * 6)
    for name, abi, number in ALL_CALLS:
        made = Recorded(1, 0, 1, 1, 70, "cat", 70, abi, number, result, data)
        found = sentence(Subject(made, FILES))
        assert found.endswith(".") and found[0].isupper(), (name, found)
        assert not [gap for gap in GAPS if gap in found], (name, found)


@pytest.mark.parametrize(
    ("flags", "was_there", "expected"),
    [
        (O_WRONLY | O_CREAT | O_TRUNC, 0, "it was not there, and was created."),
        (O_WRONLY | O_CREAT | O_TRUNC, 1, "it was there already, and was emptied."),
        (O_WRONLY | O_CREAT | O_APPEND, 1, "it was there already; each write goes to its end."),
    ],
)
def test_an_open_says_whether_the_file_was_there(flags, was_there, expected):
    memory = [text(1, "a.log"), Piece(WAS_THERE, 0, NOWHERE, bytes([was_there]))]

    found = said("openat", AT_CWD, 0x2000, flags, 0, result=3, memory=memory)

    assert found.endswith(f"as descriptor 3; {expected}")


@pytest.mark.parametrize(
    ("offset", "expected"),
    [(0, "its end"), (-22, "22 bytes before its end"), (5, "5 bytes behind")],
)
def test_a_position_from_the_end_says_how_far(offset, expected):
    assert expected in said("lseek", 3, offset & (1 << 64) - 1, 2, result=100)


def test_a_pipe_that_was_open_at_the_start_has_no_number_that_means_nothing():
    files = Files("/")
    files.names[1] = "pipe:[1234]"

    assert said("close", 1, files=files) == "Closed standard output (a pipe)."


def test_a_call_that_a_filter_refused_did_nothing():
    refused = Piece(WAS_THERE, 1, NOWHERE, b"\1")
    assert said("chdir", 0x1000, result=80, memory=[text(0, "/tmp"), refused]) == (
        "Could not change the working folder to /tmp:"
        " a seccomp filter of the program refused it, which raises SIGSYS."
    )
    assert said("getsid", 0, result=124, memory=[refused]).endswith(
        "a seccomp filter of the program refused it, which raises SIGSYS."
    )
    assert said("chdir", 0x1000, result=0, memory=[text(0, "/tmp")]) == (
        "Changed the working folder to /tmp."
    )
