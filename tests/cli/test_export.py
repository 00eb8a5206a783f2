from __future__ import annotations

import json
import os
import stat
import subprocess
import sys

import pexpect
import pytest

from support.flow_builder import ENDS, UNIX_ENDS, closed, opened, piece, record_flows
from support.session_builder import event, image

REQUEST, ANSWER = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"
STEM = "93.184.216.34:80_10.0.0.2:40000"


@pytest.fixture
def session(home):
    """A connection whose worker answers, the same address used again, and a unix socket."""
    events = [
        opened(),
        closed(at=0.5),
        closed(at=0.6, process=2),
        opened(1),
        opened(2, **UNIX_ENDS),
        opened(3, **{**ENDS, "net_host_port": 0}),
    ]
    payload = [
        piece(REQUEST, at=0.1),
        piece(ANSWER, outgoing=False, at=0.2, process=2, missing=9),
        piece(b"+again", of=1, at=1.5),
        piece(b"unix", of=2, at=2.5),
    ]
    return record_flows(home, events, payload, [image(2, pid=71)])


MISSING = "scopetrace: 9 bytes had not been recorded, and could not be written\n"
FILES = {
    f"70_{STEM}.out": REQUEST + b"+again",
    f"71_{STEM}.in": ANSWER,
    "70_af_unix:77_af_unix:78.out": b"unix",
}


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("session")
def test_payloads_are_files_as_appscope_has_them(tmp_path, scopetrace):
    done = scopetrace("export", "--payloads", "a/b")

    assert done == (0, "Wrote 3 files, 55 B, to a/b.\n", MISSING)
    assert content(tmp_path / "a" / "b") == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "b").iterdir()} == {
        0o600
    }


@pytest.mark.usefixtures("session")
def test_files_that_are_there_stay_unless_it_is_said(tmp_path, scopetrace):
    mine, other = tmp_path / f"71_{STEM}.in", tmp_path / "notes"
    mine.write_bytes(b"mine")
    other.write_bytes(b"other")

    assert scopetrace("export", "--payloads", ".") == (
        1,
        "",
        f"scopetrace: 71_{STEM}.in exists already: --force replaces it\n",
    )
    assert mine.read_bytes() == b"mine"
    assert not (tmp_path / f"70_{STEM}.out").exists()

    assert scopetrace("export", "--payloads", ".", "--force")[0] == 0
    assert (mine.read_bytes(), other.read_bytes()) == (ANSWER, b"other")
    assert scopetrace("export", "--payloads", ".")[2] == (
        f"scopetrace: 70_{STEM}.out and 2 others exist already: --force replaces them\n"
    )


@pytest.mark.usefixtures("session")
def test_a_link_is_replaced_and_not_followed(tmp_path, scopetrace):
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    (tmp_path / f"71_{STEM}.in").symlink_to(precious)

    assert scopetrace("export", "--payloads", ".")[0] == 1
    assert scopetrace("export", "--payloads", ".", "-f")[0] == 0
    assert precious.read_bytes() == b"mine"
    assert (tmp_path / f"71_{STEM}.in").read_bytes() == ANSWER


def test_more_files_than_are_open_at_a_time(home, tmp_path, scopetrace):
    ends = [{**ENDS, "net_host_port": port} for port in range(1000, 1150)]
    events = [opened(at, **one) for at, one in enumerate(ends)]
    payload = [piece(b"%d." % at, of=at) for _ in range(2) for at in range(len(ends))]
    record_flows(home, events, payload)

    assert scopetrace("export", "--payloads", "x")[0] == 0
    written = content(tmp_path / "x")
    assert len(written) == 150
    assert written["70_93.184.216.34:80_10.0.0.2:1149.out"] == b"149.149."


@pytest.mark.usefixtures("session")
def test_a_capture_is_one_that_wireshark_reads(tmp_path, scopetrace, needs):
    program = needs("tshark")
    done = scopetrace("export", "--pcap", "web.pcapng")

    assert done == (
        0,
        "Wrote 2 flows to web.pcapng.\n",
        f"scopetrace: left out: 1 flow of unix sockets\n{MISSING}",
    )
    command = [program, "-r", "web.pcapng", "-q", "-z", "follow,tcp,raw,0"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=50).stdout
    assert REQUEST.hex() in out
    assert f"\t{ANSWER.hex()}" in out
    assert stat.S_IMODE((tmp_path / "web.pcapng").stat().st_mode) == 0o600


def test_bytes_missing_at_the_end_that_a_capture_leaves_out_are_not_missing_in_it(home, scopetrace):
    turned = {"net_peer_ip": "10.0.0.2", "net_host_ip": "93.184.216.34"}
    turned |= {"net_peer_port": 40_000, "net_host_port": 80, "role": "server"}
    whole, cut = piece(REQUEST), piece(b"", outgoing=False, of=1, missing=len(REQUEST))
    record_flows(home, [opened(), opened(1, **{**ENDS, **turned})], [whole, cut])

    assert scopetrace("export", "--pcap", "f", "--payloads", "d") == (
        0,
        "Wrote 2 files, 18 B, to d.\nWrote 1 flow to f.\n",
        "scopetrace: 18 bytes had not been recorded, and could not be written\n"
        "scopetrace: left out: 1 flow whose other end is in it\n",
    )


@pytest.mark.usefixtures("session")
def test_a_capture_on_standard_output_has_nothing_else_in_it(tmp_path, scopetrace):
    scopetrace("export", "--pcap", "file")
    command = (sys.executable, "-m", "scopetrace", "export", "--pcap", "-")
    done = subprocess.run(command, capture_output=True, timeout=50)

    assert done.stdout == (tmp_path / "file").read_bytes()
    assert b"Wrote 2 flows to -.\n" in done.stderr
    assert done.returncode == 0


@pytest.mark.usefixtures("session")
def test_a_reader_that_goes_away_ends_it_silently():
    command = (sys.executable, "-m", "scopetrace", "export", "--pcap", "-")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


@pytest.mark.usefixtures("session")
def test_no_capture_is_written_to_a_terminal():
    out, status = pexpect.run(
        f"{sys.executable} -m scopetrace export --pcap -", withexitstatus=True, timeout=50
    )
    assert status == 2
    assert out == b"scopetrace: a pcapng file is binary: name a file, or pipe it into a program\r\n"


@pytest.mark.usefixtures("session")
def test_a_capture_replaces_a_file_only_if_it_is_said(tmp_path, scopetrace):
    file = tmp_path / "f"
    file.write_bytes(b"mine")

    assert scopetrace("export", "--pcap", "f") == (
        1,
        "",
        "scopetrace: f exists already: --force replaces it\n",
    )
    assert file.read_bytes() == b"mine"
    assert scopetrace("export", "--pcap", "f", "--force")[0] == 0
    assert file.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"


@pytest.mark.usefixtures("session")
def test_a_capture_can_go_into_a_pipe_that_is_there(tmp_path, scopetrace):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE) as reader:
        assert scopetrace("export", "--pcap", "pipe")[0] == 0
        assert reader.stdout.read().startswith(b"\x0a\x0d\x0d\x0a")


@pytest.mark.usefixtures("session")
def test_a_full_disk_is_one_sentence_that_names_the_file(scopetrace):
    assert scopetrace("export", "--pcap", "/dev/full") == (
        1,
        "",
        "scopetrace: cannot write /dev/full: No space left on device\n",
    )


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--pcap", "no/such/f"], "no/such/f: No such file or directory"),
        (["--pcap", "."], ".: Is a directory"),
        (["--payloads", "/dev/null"], "/dev/null: it is not a folder"),
    ],
)
@pytest.mark.usefixtures("session")
def test_what_cannot_be_written_is_one_sentence(args, sentence, scopetrace):
    assert scopetrace("export", *args) == (1, "", f"scopetrace: cannot write {sentence}\n")


def test_a_session_without_payload_says_how_it_is_recorded(home, tmp_path, scopetrace):
    record_flows(home, [opened()])

    sentence = "scopetrace: session 1 has no payload: `scopetrace run -p` records it\n"
    assert scopetrace("export", "--payloads", "x", "--pcap", "y") == (1, "", sentence)
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "y").exists()


def test_something_must_be_asked_for(scopetrace):
    assert scopetrace("export") == (
        2,
        "",
        "scopetrace: export needs one of --perfetto, --har, --csv, --payloads or --pcap\n",
    )


def test_several_kinds_are_written_at_once_without_payload(home, tmp_path, scopetrace):
    record_flows(home, [opened(), event("http.req", http_method="GET", http_target="/")])

    assert scopetrace("export", "--perfetto", "t.json", "--har", "w.har", "--csv", "c") == (
        0,
        "Wrote 2 events to t.json.\nWrote 1 request to w.har.\nWrote 3 files, 1.4 KiB, to c.\n",
        "",
    )
    assert json.loads((tmp_path / "t.json").read_text())["traceEvents"]
    assert json.loads((tmp_path / "w.har").read_text())["log"]["entries"][0]["_pid"] == 70
    assert content(tmp_path / "c").keys() == {"processes.csv", "net_open.csv", "http_req.csv"}


@pytest.mark.parametrize(
    ("option", "place", "file"),
    [("--perfetto", "f", "f"), ("--har", "f", "f"), ("--csv", ".", "console.csv")],
)
@pytest.mark.usefixtures("session")
def test_each_kind_replaces_a_file_only_if_it_is_said(tmp_path, scopetrace, option, place, file):
    (tmp_path / file).write_text("mine")

    status, _, err = scopetrace("export", option, place)
    assert (status, err) == (1, f"scopetrace: {file} exists already: --force replaces it\n")
    assert (tmp_path / file).read_text() == "mine"
    assert scopetrace("export", option, place, "--force")[0] == 0


@pytest.mark.usefixtures("session")
def test_a_trace_can_go_to_standard_output():
    command = (sys.executable, "-m", "scopetrace", "export", "--perfetto", "-")
    done = subprocess.run(command, capture_output=True, timeout=50)

    assert json.loads(done.stdout)["traceEvents"]
    assert done.stderr == b"scopetrace: Wrote 6 events to -.\n"


@pytest.mark.usefixtures("session")
def test_only_one_file_goes_to_standard_output(scopetrace):
    assert scopetrace("export", "--perfetto", "-", "--har", "-") == (
        2,
        "",
        "scopetrace: only one file can go to standard output\n",
    )
