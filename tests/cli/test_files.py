"""`scopetrace files`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def session(recorder):
    """A session of five files."""
    close = {"op": "close", "duration": 9, "io_duration": 3}
    used = {"file_read_ops": 0, "file_read_bytes": 0, "file_write_ops": 0, "file_write_bytes": 0}
    read = {**used, "file_read_ops": 1, "file_read_bytes": 2048}
    written = {**used, "file_write_ops": 2, "file_write_bytes": 30}
    recorder.record(
        recorder.event("fs.error", file="/home/ann/app.conf", op="openat", error="ENOENT"),
        recorder.event("fs.close", file="/usr/lib/x86_64-linux-gnu/libc.so.6", **close, **read),
        recorder.event("fs.close", file="/home/ann/in.txt", **close, **read),
        recorder.event("fs.close", file="/home/ann/out/log.txt", **close, **written),
        recorder.event("fs.error", file="/etc/shadow", op="openat", error="EACCES"),
        cwd="/home/ann",
        config="scopetrace: {pathclasses: {loader: ['/libc.so']}}",
    )


@pytest.mark.usefixtures("session")
class TestFiles:
    def paths(self, scopetrace, *args):
        status, out, err = scopetrace("files", "-j", *args)
        assert (status, err) == (0, "")
        return [json.loads(line)["file"] for line in out.splitlines()]

    def test_a_pipe_gets_all_files_in_the_order_of_their_first_use(self, scopetrace):
        status, out, err = scopetrace("files")

        assert (status, err) == (0, "")
        assert out.splitlines()[0].split() == [
            "USE",
            "READ",
            "WRITTEN",
            "OPS",
            "I/O",
            "TIME",
            "PROC",
            "ERROR",
            "FILE",
        ]
        assert [line.split()[-1] for line in out.splitlines()[1:]] == [
            "/home/ann/app.conf",
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/home/ann/in.txt",
            "/home/ann/out/log.txt",
            "/etc/shadow",
        ]

    @pytest.mark.parametrize(
        ("option", "names"),
        [
            ("--read", ["libc.so.6", "in.txt"]),
            ("--written", ["log.txt"]),
            ("--missed", ["app.conf"]),
            ("--denied", ["shadow"]),
            ("--deleted", []),
        ],
    )
    def test_uses_choose_files(self, scopetrace, option, names):
        status, out, _ = scopetrace("files", "-j", option)

        assert status == 0
        assert [json.loads(line)["file"].split("/")[-1] for line in out.splitlines()] == names

    @pytest.mark.parametrize(
        ("options", "files", "hides"),
        [
            ([], 4, True),
            (["-s", "bytes"], 4, True),
            (["-A"], 5, False),
            (["--read"], 2, False),
            (["--proc", "python*"], 5, False),
            (["-m", "lib"], 1, False),
            (["--by", "dir"], 4, False),
        ],
    )
    def test_a_terminal_shows_all_that_was_asked_for(
        self, options, files, hides, scopetrace, monkeypatch
    ):
        monkeypatch.setattr("scopetrace.cli.files.on_terminal", lambda: True)

        status, out, err = scopetrace("files", *options)

        assert (status, len(out.splitlines()) - 1) == (0, files)
        assert err == ("scopetrace: 1 start-up file hidden: -A shows it\n" if hides else "")

    def test_the_largest_comes_first_if_it_is_sorted(self, scopetrace):
        assert self.paths(scopetrace, "-s", "written_bytes", "-n1") == ["/home/ann/out/log.txt"]

    def test_files_can_be_those_of_a_process_or_contain_a_text(self, scopetrace):
        assert self.paths(scopetrace, "-p", "70", "-m", "conf") == ["/home/ann/app.conf"]
        assert self.paths(scopetrace, "--proc", "python*", "-m", "txt", "-r") == [
            "/home/ann/out/log.txt",
            "/home/ann/in.txt",
        ]
        status, out, _ = scopetrace("files", "-p", "1", "-j")
        assert (status, out) == (0, "")

    def test_paths_can_be_relative_to_the_folder_of_the_session(self, scopetrace):
        found = self.paths(scopetrace, "--relative")
        assert found[0] == "app.conf"
        assert found[-1] == "/etc/shadow"

    def test_folders_are_one_row_each_with_their_sums(self, scopetrace):
        status, out, _ = scopetrace("files", "--by", "dir", "--format", "csv")

        assert status == 0
        assert out.splitlines()[:2] == [
            "group,files,read_bytes,written_bytes,ops,io_us",
            "/home/ann,2,2048,0,1,3",
        ]

    @pytest.mark.parametrize(
        ("args", "why"),
        [
            (["-s", "nope"], "no file has a field named nope; did you mean opens?"),
            (["-j", "--format", "csv"], "--json and --format csv do not go together"),
            (["--format", "xml"], "xml"),
        ],
    )
    def test_a_wrong_option_is_one_sentence(self, scopetrace, args, why):
        status, out, err = scopetrace("files", *args)

        assert (status, out) == (2, "")
        assert why in err


def test_of_a_file_each_program_has_what_it_did_itself(scopetrace, recorder):
    writer = recorder.start("dd")
    writer.add_process(recorder.process(id=2, pid=71, parent=1, proc="chmod"))
    written = {"op": "close", "file_write_ops": 2, "file_write_bytes": 30}
    writer.add_events(
        [
            recorder.event("fs.close", file="/home/ann/big", **written),
            recorder.event("fs.attr", file="/home/ann/big", op="fchmodat", process=2),
        ]
    )
    writer.finish(exit_code=0)

    _, out, _ = scopetrace("files", "--by", "proc", "--format", "csv")
    assert [line.split(",")[:4] for line in out.splitlines()[1:]] == [
        ["python3", "1", "0", "30"],
        ["chmod", "1", "0", "0"],
    ]


def test_what_is_in_no_package_is_grouped_by_its_class(scopetrace, recorder):
    names = ("/usr/lib/python3/dist-packages/yaml/nodes.py", "/home/ann/x", "/usr/lib/libc.so.6")
    recorder.record(
        *(recorder.event("fs.open", file=name, op="openat", flags="O_RDONLY") for name in names),
        config="scopetrace: {pathclasses: {loader: ['/libc.so']}}",
    )

    _, out, _ = scopetrace("files", "--by", "package", "--format", "csv")
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == ["yaml", "(own)", "(loader)"]
