from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.flow_builder import ENDS, UNIX_ENDS, closed, opened, piece, record_flows
from support.session_builder import image

REQUEST = b"GET / HTTP/1.1\r\n\r\n\0\xff\x1b[2J"
BIG = bytes(range(256)) * 2000


@pytest.fixture
def session(home):
    """A session of a flow with payload, one of a unix socket, and one that is still open."""
    events = [
        opened(),
        closed(at=1.5, sent=22, received=8_192_005, reason="remote", net_protocol="HTTP", **ENDS),
        opened(2, process=2, **UNIX_ENDS),
        closed(2, at=2.25, process=2, **UNIX_ENDS),
        opened(3, **{**ENDS, "net_peer_ip": "2001:db8::1", "net_peer_port": 443}),
    ]
    payload = [
        piece(REQUEST, at=0.1),
        *(piece(BIG, outgoing=False, at=0.2) for _ in range(16)),
        piece(b"", outgoing=False, at=0.3, missing=5),
    ]
    return record_flows(home, events, payload, [image(2, pid=71, proc="curl")])


@pytest.mark.usefixtures("session")
def test_flows_are_a_table_with_the_latest_at_the_end(scopetrace):
    status, out, err = scopetrace("flows")

    assert (status, err) == (0, "")
    assert [line.split()[:-5] for line in out.splitlines()[1:]] == [
        ["1", "10.0.0.2", "40000", "93.184.216.34", "80", *line_age(out, 1)],
        ["3", "unix:78", "/run/app.sock", *line_age(out, 2)],
        ["5", "10.0.0.2", "40000", "2001:db8::1", "443", "-"],
    ]


def line_age(out, line):
    """Return the cell of the table that tells how long ago something was, which goes on."""
    start = out.splitlines()[0].index("LAST SENT")
    return [out.splitlines()[line][start:].split()[0]]


@pytest.mark.parametrize(
    ("args", "ids"),
    [
        ([], [1, 3, 5]),
        (["-n", "2"], [3, 5]),
        (["-n0"], []),
        (["-a"], [1, 3, 5]),
        (["-r"], [5, 3, 1]),
        (["-s", "net_bytes_recv"], [1, 3, 5]),
        (["-s", "id", "-n1"], [5]),
        (["-s", "duration", "-r"], [3, 1, 5]),
        (["--peer", "93.184.0.0/16"], [1]),
        (["--peer", "2001:db8::1", "--peer", "93.184.216.34"], [1, 5]),
        (["-p", "71"], [3]),
        (["--proc", "py*"], [1, 5]),
        (["--id", "1", "--proc", "curl,nginx"], [3]),
    ],
)
@pytest.mark.usefixtures("session")
def test_flows_are_chosen_and_ordered_and_json_is_no_exception(args, ids, scopetrace):
    status, out, err = scopetrace("flows", "-j", *args)

    assert (status, err) == (0, "")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ids


@pytest.mark.usefixtures("session")
def test_json_tells_all_that_is_known(scopetrace):
    first = json.loads(scopetrace("flows", "1", "-j")[1])

    assert first["net_peer_ip"] == "93.184.216.34"
    assert first["net_bytes_recv"] == 8_192_005
    assert (first["start_time"], first["duration"]) == (1_783_822_275.0, 1_500_000_000)
    assert (first["payload_in_bytes"], first["payload_missing_bytes"]) == (8_192_000, 5)


@pytest.mark.usefixtures("session")
def test_one_flow_in_full_by_its_id_or_any_of_its_events(scopetrace):
    status, out, err = scopetrace("flows", "1")

    assert (status, err) == (0, "")
    assert "Peer:           93.184.216.34:80\n" in out
    assert "Payload in:     8,192,000 bytes, 5 missing\n" in out
    assert scopetrace("flows", "2") == (0, out, "")


@pytest.mark.usefixtures("session")
def test_payload_is_written_byte_for_byte(capsysbinary):
    from scopetrace.cli import main

    assert main(["flows", "1", "--out"]) == 0
    assert capsysbinary.readouterr() == (REQUEST, b"")

    assert main(["flows", "1", "--in"]) == 0
    out, err = capsysbinary.readouterr()
    assert out == BIG * 16
    assert err == b"scopetrace: 5 bytes had not been recorded, and could not be written\n"


@pytest.mark.usefixtures("session")
def test_the_only_flow_needs_no_id(capsysbinary):
    from scopetrace.cli import main

    assert main(["flows", "--out", "--peer", "93.184.216.34"]) == 0
    assert capsysbinary.readouterr() == (REQUEST, b"")


@pytest.fixture
def noisy(home):
    """A session of one flow, and of what a start-up leaves: a socketpair, a name service."""
    pair = {"net_transport": "Unix.TCP", "unix_local_inode": 5, "unix_peer_inode": 6}
    other = {**pair, "unix_local_inode": 6, "unix_peer_inode": 5}
    events = [
        opened(1, **pair),
        opened(2, **other),
        opened(3, **{**UNIX_ENDS, "unix_peer_path": "/run/nscd/socket"}),
        opened(4, **UNIX_ENDS),
    ]
    rules = "scopetrace: {pathclasses: {system: ['/nscd(/|$)']}}"
    return record_flows(home, events, [piece(b"hi", of=4, at=4.5)], config=rules)


@pytest.mark.usefixtures("noisy")
@pytest.mark.parametrize(
    ("args", "ids", "hidden"),
    [
        ([], ["4"], 2),
        (["-n", "0"], [], 2),
        (["-A"], ["1", "3", "4"], 0),
        (["-a"], ["1", "3", "4"], 0),
        (["--pid", "70"], ["1", "3", "4"], 0),
        (["-s", "id", "-r"], ["1", "3", "4"], 0),
    ],
)
def test_on_a_terminal_flows_of_the_start_up_are_counted(
    args, ids, hidden, scopetrace, monkeypatch
):
    monkeypatch.setattr("scopetrace.cli.flows.on_terminal", lambda: True)

    status, out, err = scopetrace("flows", *args)

    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:]] == ids
    assert err == (f"scopetrace: {hidden} start-up flows hidden: -A shows them\n" if hidden else "")


@pytest.mark.usefixtures("noisy")
def test_to_a_pipe_nothing_is_hidden_and_the_only_own_flow_needs_no_id(capsysbinary):
    from scopetrace.cli import main

    assert main(["flows", "-j"]) == 0
    assert capsysbinary.readouterr()[0].count(b"\n") == 4
    assert main(["flows", "--out"]) == 0
    assert capsysbinary.readouterr() == (b"hi", b"")


def test_a_socketpair_needs_no_id_if_it_is_all_there_is(home, capsysbinary):
    from scopetrace.cli import main

    pair = {"net_transport": "Unix.TCP", "unix_local_inode": 5, "unix_peer_inode": 6}
    other = {**pair, "unix_local_inode": 6, "unix_peer_inode": 5}
    sent = [piece(b"hi", of=number, at=4.5) for number in (1, 2)]
    record_flows(home, [opened(1, **pair), opened(2, **other)], sent)

    assert main(["flows", "--out"]) == 0
    assert capsysbinary.readouterr() == (b"hi", b"")


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize("way", ["--in", "--out"])
def test_without_payload_it_is_said_why(way, scopetrace):
    assert scopetrace("flows", "3", way) == (
        1,
        "",
        "scopetrace: flow 3 has no payload: no bytes were sent or received\n",
    )
    assert scopetrace("flows", "5", way) == (
        1,
        "",
        "scopetrace: flow 5 has no payload: `scopetrace run -p` records it\n",
    )


@pytest.mark.usefixtures("session")
def test_a_reader_that_goes_away_ends_it_silently():
    command = (sys.executable, "-m", "scopetrace", "flows", "1", "--in")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.read(4) == BIG[:4]
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 141


@pytest.mark.usefixtures("session")
def test_a_closed_standard_output_is_no_mistake():
    command = (sys.executable, "-m", "scopetrace", "flows", "1", "--out")
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True)

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--in"], "--in needs the ID of a flow: there are 3 flows"),
        (["--out", "--peer", "::1"], "--out needs the ID of a flow: there are 0 flows"),
        (["1", "--in", "--out"], "--in and --out do not go together"),
        (["1", "--in", "-j"], "--in and --json do not go together"),
        (["1", "--out", "--format", "csv"], "--out and --format csv do not go together"),
        (["-a", "-n", "3"], "--all and --last do not go together"),
        (["1", "-n", "3"], "--last and the ID of a flow do not go together"),
        (["1", "--in", "--peer", "::1"], "--peer and the ID of a flow do not go together"),
        (["-n", "x"], "'x' is not a number such as 20"),
        (["-n", "-1"], "'-1' is not a number such as 20"),
        (["x"], "'x' is not the number of a flow"),
        (["--peer", "10.0.0.0/99"], "'10.0.0.0/99' is no network or address"),
        (["-s", "bytes_snet"], "no flow has a field named bytes_snet; did you mean"),
    ],
)
@pytest.mark.usefixtures("session")
def test_contradictions_are_usage_errors(args, sentence, scopetrace):
    status, out, err = scopetrace("flows", *args)

    assert (status, out) == (2, "")
    assert sentence in err


@pytest.mark.usefixtures("session")
def test_a_flow_that_is_not_there_is_one_sentence(scopetrace):
    assert scopetrace("flows", "99") == (1, "", "scopetrace: session 1 has no flow 99\n")


def test_an_empty_answer_says_so(home, scopetrace, recorder):
    recorder.record()
    status, out, err = scopetrace("flows")
    assert (status, out.split()[:2], err) == (
        0,
        ["ID", "HOST"],
        "scopetrace: session 1 has no flows\n",
    )

    record_flows(home, [opened()])
    assert scopetrace("flows", "-j", "--peer", "127.0.0.1") == (
        0,
        "",
        "scopetrace: session 2 has no flow that matches\n",
    )
