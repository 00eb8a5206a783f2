"""Names that hold for two runs of one program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.model.file_record import FileRecord
from scopetrace.query.diff.names import DIGITS, PLACE, Names, Numbers, folders_of, temporary_names
from support.session_builder import STARTED_NS

FOLDERS = {"/home/ann/app": ".", "/home/ann": ".."}
NUMBERS = Numbers({"4711": "PID", "41000": "PORT"}, STARTED_NS)
KNOWN = {"/tmp/lock": "*", "/tmp/ccXaBc12.s": "*.s"}
ELSEWHERE = {"/home/ann/app/t/ccXaBc12.s": "*.s", "/srv/t/tmpab12cd34": "*"}


@pytest.fixture
def names() -> Names:
    return Names(FOLDERS, NUMBERS, KNOWN, {"/tmp/tmpfixed012"})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/home/ann/app/t/ccXaBc12.s", "./t/*.s"),
        ("-o/srv/t/tmpab12cd34/x.o", "-o/srv/t/*/x.o"),
        ("as /srv/t/tmpab12cd34 /home/ann/app/t/ccXaBc12.s", "as /srv/t/* ./t/*.s"),
        ("/srv/t/tmpab12cd3", "/srv/t/tmpab12cd3"),
        ("/x/srv/t/tmpab12cd34", "/x/srv/t/tmpab12cd34"),
    ],
)
def test_temporary_files_may_be_made_anywhere(text: str, name: str) -> None:
    names = Names(FOLDERS, NUMBERS, KNOWN | ELSEWHERE)

    assert names.text(text) == name
    assert line(names, f"4711 {text} 5 41000") == f"PID {name} 5 PORT"


PARTS = (
    "/home/ann/app", "/tmp/", "tmpk3x_9w2q", "/", " ", "-", "4711", "41000", "0x7ffe12ab", "ab",
    "20260712T101112", "123e4567-e89b-12d3-a456-426614174000", "x", "140012345678901", ".", "Zz",
)  # fmt: skip


@given(st.lists(st.sampled_from(PARTS)).map("".join))
def test_a_text_with_a_mark_of_a_tool_has_the_same_name_otherwise(text: str) -> None:
    names = Names(FOLDERS, NUMBERS, KNOWN)

    assert names.text(f"{text} /s-") == f"{names.text(text)} /s-"


def test_no_number_varies_in_a_text_that_both_runs_have() -> None:
    names = Names(FOLDERS, NUMBERS, KNOWN, shared={"/srv/4711/x", "/proc/4711/stat"})

    assert names.text("/srv/4711/x") == "/srv/4711/x"
    assert names.text("/srv/4711/y") == "/srv/PID/y"
    assert names.text("/proc/4711/stat") == "/proc/PID/stat"


def line(names: Names, text: str) -> str:
    """Return a line as it is compared."""
    form = names.form(text)
    digits = DIGITS.findall(text)
    for at in form.kept:
        form = form._replace(text=form.text.replace(PLACE, names.numbers[digits[at]], 1))
    return form.text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/home/ann/app/src/main.c", "./src/main.c"),
        ("-I/home/ann/app", "-I."),
        ("/home/ann/apple", "../apple"),
        ("/home/ann/app-2/x", "../app-2/x"),
        ("/home/anne", "/home/anne"),
        ("/srv/home/ann/x", "/srv/home/ann/x"),
        ("/tmp/ccXaBc12.s", "/tmp/*.s"),
        ("/tmp/lock", "/tmp/*"),
        ("/tmp/locks", "/tmp/locks"),
        ("-I/tmp/ccXaBc12.s", "-I/tmp/*.s"),
        ("-o /tmp/ccAbCdEf.o", "-o /tmp/cc*.o"),
        ("-o /tmp/ccr5swz5.s", "-o /tmp/cc*.s"),
        ("/tmp/ccaching.o", "/tmp/ccaching.o"),
        ("/tmp/tmpk3x_9w2q/inner.txt", "/tmp/tmp*/inner.txt"),
        ("/tmp/tmp.aBcDeFgHiJ", "/tmp/tmp.*"),
        ("/tmp/config1/app2.conf", "/tmp/config1/app2.conf"),
        ("/tmp/pytest-of-ann/pytest-12/test_x0", "/tmp/pytest-of-ann/pytest-*/test_x0"),
        ("/proc/4711/fd/3", "/proc/PID/fd/N"),
        ("/proc/123/task/124/stat", "/proc/PID/stat"),
        ("/dev/fd/63", "/dev/fd/N"),
        ("/srv/tmp/tmp.aBcDeFgHiJ", "/srv/tmp/tmp.aBcDeFgHiJ"),
        ("/tmp/tmpfixed012/x", "/tmp/tmpfixed012/x"),
        ("/tmp/hvPCKQ1GhM", "/tmp/*"),
        ("/r/.git/objects/9e/8e6c1fdb6e98a6ce7584dc51551e93144f1319", "/r/.git/objects/*"),
        ("/srv/t/#2212078", "/srv/t/#N"),
        ("/dev/pts/7", "/dev/pts/N"),
        ("/c/cmTC_43876.dir/flags.make.tmpb34bb", "/c/cmTC_*.dir/flags.make.tmp*"),
        ("/c/target/s-homrbd9gyh-0m9xb34.lock", "/c/target/s-*.lock"),
        ("/l/2026-11-30T03_29_26_709Z-debug-0.log", "/l/*-debug-0.log"),
        ("/l/app-20261130-032926.log", "/l/app-*.log"),
        ("/l/app-20261130.log", "/l/app-20261130.log"),
        ("socket:[83412]", "socket:[N]"),
        ("pipe:[83412]", "pipe:[N]"),
        ("run.4711.log", "run.PID.log"),
        ("run.4712.log", "run.4712.log"),
        ("127.0.0.1:41000", "127.0.0.1:PORT"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("id=6ba7b810-9dad-11d1-80b4-00c04fd430c8", "id=*"),
    ],
)
def test_paths_and_arguments(names: Names, text: str, name: str) -> None:
    assert names.text(text) == name
    assert line(names, text) == name


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("2026-11-30 02:13:54,123 INFO started", "TIME INFO started"),
        ("2026/11/30 02:13:54 [error] 4711#4711: *57 x", "TIME [error] PID#PID: *N x"),
        ('1.2.3.4 - - [30/Nov/2026:02:13:54 +0000] "GET"', '1.2.3.4 - - [TIME] "GET"'),
        ("Mon Nov 30 02:13:54 UTC 2026", "TIME"),
        ("Date: Mon, 30 Nov 2026 02:13:54 GMT", "Date: TIME"),
        ("3 passed in 0.02s", "3 passed in DURATION"),
        ("==== 3 passed in 10.02s ===", "= 3 passed in DURATION ="),
        ("==== 3 passed ===", "==== 3 passed ==="),
        ("took 12 ms, 5 files", "took DURATION, 5 files"),
        ("real\t0m1.234s", "real\tDURATION"),
        ("Requests/sec:  1234.56", "Requests/sec:RATE"),
        ("  312 requests in 1.01s, 73.12KB read", " RATE"),
        ("    Latency    60.43ms   30.95ms 133.96ms   60.94%", " LatencyRATE"),
        ("[gw1] [ 20%] PASSED a.py::b", "[gwN] PASSED a.py::b"),
        ("12.5 MB/s at 99.1it/s", "RATE at RATE"),
        ("50K .... 12.3M=0.1s", "50K .... RATE"),
        ("thread 140234567890123", "thread ADDRESS"),
        ("<A object at 0x7f12ab34cd56>", "<A object at ADDRESS>"),
        ("Using --randomly-seed=123456", "Using --randomly-seed=SEED"),
        ("at 1783822275 and 1783822275123", "at TIME and TIME"),
        ("in 1999999999", "in 1999999999"),
        ("version 3.11.2, 404", "version 3.11.2, 404"),
        ("read fd 5: 17 bytes", "read fd N: 17 bytes"),
    ],
)
def test_lines(names: Names, text: str, same: str) -> None:
    assert line(names, text) == same


PIECES = (
    *("0", "7", "12", "2026-11-30", " ", ":", "12:34:56", "/", "/tmp/", "cmTC_", "a", "f", ".tmp"),
    *(
        "/objects/",
        "0x",
        "fd ",
        "seed",
        "GET /x 200 ",
        "s",
        "ms",
        ".",
        "[gw",
        "]",
        "rustc",
        "\u0663",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_numbers_of_a_line_are_those_that_its_form_keeps(text: str) -> None:
    form = Names(FOLDERS, NUMBERS, KNOWN).form(text)
    numbers = DIGITS.findall(text)

    assert form.text.count(PLACE) == len(form.kept)
    assert all(at < len(numbers) for at in form.kept)
    assert sorted(set(form.kept)) == list(form.kept)


def test_a_temporary_file_is_one_that_was_made_under_a_drawn_name() -> None:
    made = FileRecord(
        "/srv/tmp.aBcDeFgHiJ", (), "own", 1, 0, 0, 5, 1, 0, False, True, False, False, (), (1,), ()
    )  # fmt: skip
    files = [
        made,
        made._replace(path="/srv/tmpk3x_9w2q.txt"),
        made._replace(path="/srv/tmp.aBcDeFgHiK", changed=False),
        made._replace(path="/srv/tmp.aBcDeFgHiL"),
        made._replace(path="/srv/tmp-12345678"),
    ]

    assert temporary_names(files, "/", {"/srv/tmp.aBcDeFgHiL"}) == {
        "/srv/tmp.aBcDeFgHiJ": "*",
        "/srv/tmpk3x_9w2q.txt": "*.txt",
    }


def test_a_temporary_file_is_one_that_was_made_and_removed() -> None:
    plain = FileRecord(
        "/tmp/a.o", (), "own", 1, 0, 0, 5, 1, 0, False, True, True, False, (), (1,), ("as",)
    )  # fmt: skip
    files = [
        plain,
        plain._replace(path="/tmp/kept", deleted=False),
        plain._replace(path="/home/ann/app/out.txt"),
        plain._replace(path="/home/ann/app/ccvjzfbg.s"),
        plain._replace(path="/home/ann/app/ccvjzfbg.o", deleted=False),
        plain._replace(path="/home/ann/app/tmp.aBcDeFgHiJ.x", names=("/tmp/first",)),
        plain._replace(path="/tmp/work"),
        plain._replace(path="/tmp/tmp.aBcDeFgHiJ"),
    ]

    assert temporary_names(files, "/tmp/work/here") == {
        "/tmp/a.o": "*.o",
        "/home/ann/app/ccvjzfbg.s": "*.s",
        "/home/ann/app/tmp.aBcDeFgHiJ.x": "*.x",
        "/tmp/first": "*",
        "/tmp/tmp.aBcDeFgHiJ": "*",
    }


@pytest.mark.parametrize(
    ("a", "b", "folders"),
    [
        ("/a/x", "/a/x", ({"/a/x": "/a/x"}, {"/a/x": "/a/x"})),
        ("/a/proj1", "/b/proj2", ({"/a/proj1": ".", "/a": ".."}, {"/b/proj2": ".", "/b": ".."})),
        ("/a/proj1", "/a/proj2", ({"/a/proj1": "."}, {"/a/proj2": "."})),
        ("/home/ann/app/build", "/srv/app/build",
         ({"/home/ann": ".", "/home": ".."}, {"/srv": "."})),
        ("/tmp/app", "/srv/app", ({"/tmp/app": "."}, {"/srv/app": ".", "/srv": ".."})),
        ("/", "/", ({}, {})),
        ("/tmp", "/home/ann", ({}, {"/home/ann": ".", "/home": ".."})),
        ("/a", "/a/b", ({"/a": "."}, {"/a/b": "."})),
    ],
)  # fmt: skip
def test_the_folders_that_paths_are_seen_from(
    a: str, b: str, folders: tuple[dict[str, str], dict[str, str]]
) -> None:
    assert folders_of(a, b) == folders
