"""Names: dig against dnsmasq, and the C library against the server of /etc/resolv.conf.

The server logs each question and what it answered; so does dig; and the events say the same.
"""

from __future__ import annotations

import json
import re
import shlex
import socket
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from support.harness import Argv, Recording, Stage, scopetrace_command
from support.interpreter import python
from support.net_events import protocols
from support.net_peers import (
    HOST,
    compare,
    compare_server,
    free_port,
    is_bound,
    is_listening,
    record,
    serve,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]

ADDRESSES = {"A": ["192.0.2.7"], "AAAA": ["2001:db8::7"]}
STATUS = re.compile(r"status: (\w+),")
QUERY = re.compile(r"query\[(\w+)\] (\S+) from 127\.0\.0\.1(?:#(\d+))?")


def dnsmasq_command(program: str, port: int) -> Argv:
    """Return the command line of a server that knows one domain and nobody else to ask."""
    return [
        program,
        "--no-daemon",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--pid-file=",
        f"--port={port}",
        f"--listen-address={HOST}",
        "--bind-interfaces",
        "--log-queries",
        "--local=/scope.test/",
        "--host-record=host.scope.test,192.0.2.7,2001:db8::7",
        "--local-ttl=77",
        "--host-record=here.scope.test,127.0.0.1",
        "--cname=alias.scope.test,other.scope.test",
        "--cname=other.scope.test,host.scope.test",
        "--txt-record=text.scope.test," + ",".join(["t" * 200] * 5),
    ]


class Names(NamedTuple):
    """dnsmasq, and its log."""

    port: int
    log: Path

    def asked(self) -> list[tuple[str, str]]:
        """Return the questions: type and name."""
        return [found.groups()[:2] for found in QUERY.finditer(self.log.read_text())]  # type: ignore[misc]


@pytest.fixture
def names(stage: Stage, needs: Needs) -> Iterator[Names]:
    port = free_port()
    log = stage.folder / "dnsmasq.log"
    command = dnsmasq_command(needs("dnsmasq"), port)
    with serve(command, lambda: is_bound(port) and is_listening(port), log=log):
        yield Names(port, log)


def dig(program: str, port: int, *words: str) -> Argv:
    return [program, *f"-r @{HOST} -p {port} +noall +comments +answer +nostats".split(), *words]


def same(output: bytes) -> bytes:
    """Return what dig prints but for ids and its cookies."""
    return re.sub(rb"(?m)(id: \d+|COOKIE: .*|; <<>> .*)$", b"", output)


QUESTIONS = [
    ("host.scope.test", "A"),
    ("host.scope.test", "AAAA"),
    ("alias.scope.test", "A"),
    ("text.scope.test", "TXT"),
    ("absent.scope.test", "A"),
    ("elsewhere.test", "A"),
]


def test_the_version_of_a_server(stage: Stage, needs: Needs, names: Names) -> None:
    """It is asked for in a class of its own."""
    recording = record(stage, dig(needs("dig"), names.port, "CH", "TXT", "version.bind"))

    (asked,), (answered,) = recording.of("dns.req"), recording.of("dns.resp")
    assert (asked.data["type"], asked.data["class"]) == ("TXT", "CH")
    assert (answered.data["class"], answered.data["rcode"]) == ("CH", "NOERROR")
    (version,) = answered.data["answers"]
    assert version["data"].encode() in recording.ending.stdout


@pytest.mark.parametrize("way", ["+noedns", "+tcp"])
def test_each_answer_is_what_dig_prints(way: str, stage: Stage, needs: Needs, names: Names) -> None:
    """One answer does not fit into a datagram: dig asks for it again over TCP."""
    words = [word for name, kind in QUESTIONS for word in (name, kind, way)]
    recording = compare(stage, dig(needs("dig"), names.port, *words), same=same)
    printed = recording.ending.stdout.decode()

    asked = [(e.data["type"], e.data["domain"]) for e in recording.of("dns.req")]
    logged = names.asked()
    assert asked == logged[len(logged) // 2 :]
    answers = final(recording)
    assert [(data["domain"], data["type"]) for data in answers] == QUESTIONS
    assert [data["rcode"] for data in answers] == STATUS.findall(printed)
    records = [
        (record["name"], record["ttl"], record["type"], record["data"].strip('"'))
        for data in answers
        for record in data["answers"]
        if record["type"] != "TXT"
    ]
    assert records == [row for row in printed_records(printed) if row[2] != "TXT"]
    assert answers[0]["addrs"] == ["192.0.2.7"]
    assert answers[1]["addrs"] == ["2001:db8::7"]
    assert answers[2]["cname"] == ["other.scope.test", "host.scope.test"]
    assert answers[2]["addrs"] == ["192.0.2.7"]
    assert [data["rcode"] for data in answers[-2:]] == ["NXDOMAIN", "REFUSED"]
    assert all(data["duration_us"] >= 0 for data in answers)
    assert recording.of("dns.error") == []
    assert set(protocols(recording)) == {"DNS"}
    cut = [e.data["domain"] for e in recording.of("dns.resp") if e.data.get("truncated")]
    assert cut == (["text.scope.test"] if way == "+noedns" else [])


def final(recording: Recording) -> list[dict[str, Any]]:
    """Return the answers that dig did not ask again for."""
    return [e.data for e in recording.of("dns.resp") if not e.data.get("truncated")]


def printed_records(printed: str) -> list[tuple[str, int, str, str]]:
    rows = [line.split(None, 4) for line in printed.splitlines() if line and line[0] != ";"]
    return [
        (name.rstrip("."), int(ttl), kind, data.rstrip(".")) for name, ttl, _, kind, data in rows
    ]


def test_bytes_are_those_that_dig_received(stage: Stage, needs: Needs, names: Names) -> None:
    questions = "host.scope.test A alias.scope.test AAAA"
    command = [
        needs("dig"),
        *f"-r @{HOST} -p {names.port} +noall +stats".split(),
        *questions.split(),
    ]
    recording = record(stage, command)

    sizes = re.findall(rb"MSG SIZE  rcvd: (\d+)", recording.ending.stdout)
    closed = [
        e.data for e in recording.of("net.close") if e.data.get("net_peer_port") == names.port
    ]
    assert sum(data["net_bytes_recv"] for data in closed) == sum(map(int, sizes))
    assert {data["net_transport"] for data in closed} == {"IP.UDP"}
    assert {data["net_protocol"] for data in closed} == {"DNS"}


ASK_AND_RECEIVE = """
import socket, struct, sys
asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number, name in enumerate(sys.argv[2:]):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + labels + bytes([0, 0, 1, 0, 1])
    asking.sendto(query, ("127.0.0.1", int(sys.argv[1])))
    print(len(query), len(asking.recv(4096)))
"""


def test_an_answer_of_which_nobody_asked_whose_it_is(stage: Stage, names: Names) -> None:
    """The program sends to an address and receives with recv(), so the kernel tells no peer."""
    wanted = ["host.scope.test", "absent.scope.test"]
    command = [python(), "-I", "-c", ASK_AND_RECEIVE, names.port, *wanted]
    recording = compare(stage, command)

    assert [e.source for e in recording.of("dns")] == ["dns.req", "dns.resp"] * 2
    answers = [e.data for e in recording.of("dns.resp")]
    assert [(data["domain"], data["rcode"]) for data in answers] == [
        (wanted[0], "NOERROR"),
        (wanted[1], "NXDOMAIN"),
    ]
    assert all(data["duration_us"] > 0 and "net_peer_port" not in data for data in answers)
    sizes = [tuple(map(int, line.split())) for line in recording.ending.stdout.splitlines()]
    assert [
        (e.data.get("net_peer_port"), e.data["net_bytes_sent"], e.data["net_bytes_recv"])
        for e in recording.of("net.close")
    ] == [(names.port, sum(sent for sent, _ in sizes), 0), (None, 0, sum(got for _, got in sizes))]


def test_a_question_that_nobody_answers(stage: Stage, needs: Needs) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind((HOST, 0))
        port = silent.getsockname()[1]
        command = dig(needs("dig"), port, "+tries=1", "+timeout=1", "lost.test", "A")
        recording = record(stage, command)
        silent.setblocking(False)
        assert b"\4lost\4test\0" in silent.recv(4096)

    assert recording.ending.status == 9
    (asked,), (failed,) = recording.of("dns.req"), recording.of("dns.error")
    assert asked.data["domain"] == failed.data["domain"] == "lost.test"
    assert failed.data["error"] == "timeout"
    assert asked.channel == failed.channel
    assert recording.of("dns.resp") == []


def test_a_server_of_names(stage: Stage, needs: Needs) -> None:
    """A server's flows are read as a client's are; one for each who asks."""
    port = free_port()

    def clients() -> None:
        for name, kind in QUESTIONS:
            command = [*map(str, dig(needs("dig"), port, name, kind, "+noedns"))]
            subprocess.run(command, check=True, capture_output=True, timeout=30)

    served = compare_server(
        stage,
        dnsmasq_command(needs("dnsmasq"), port),
        lambda: is_bound(port) and is_listening(port),
        clients,
        same=bool,
    )

    recording = served.recording
    logged = QUERY.findall(recording.ending.stderr.decode())
    asked = [(e.data["type"], e.data["domain"]) for e in recording.of("dns.req")]
    assert asked == [(kind, name) for kind, name, _ in logged]
    assert len(recording.of("dns.resp")) == len(asked)
    assert {(e.data["domain"], e.data["type"]) for e in recording.of("dns.resp")} == set(QUESTIONS)
    assert Counter(data["rcode"] for data in final(recording))["NXDOMAIN"] == 1


RESOLVE = """
import json, socket, sys
for name in sys.argv[1:]:
    try:
        found = socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        found = []
    print(json.dumps([name, sorted(address[0] for *_, address in found)]))
"""

OWN_NETWORK = """
set -e
ip link set lo up
mount --bind "$1" /etc/resolv.conf
mount --bind "$2" /etc/nsswitch.conf
log=$3; shift 3
: >"$log"
"$@" 2>>"$log" & server=$!
trap 'kill $server' EXIT
until grep -q started "$log"; do kill -0 $server; sleep 0.05; done
"""


def record_in_own_network(stage: Stage, needs: Needs, code: str, *arguments: str) -> Recording:
    """Record a program of Python in a network with a server of names, which logs to dnsmasq.log.

    The network and resolv.conf are its own, so that nothing of the machine is touched.
    """
    resolv, nsswitch = stage.folder / "resolv.conf", stage.folder / "nsswitch.conf"
    resolv.write_text(f"nameserver {HOST}\noptions timeout:5 attempts:1\n")
    nsswitch.write_text("hosts: dns\n")
    log = stage.work / "dnsmasq.log"
    (stage.folder / "resolve.py").write_text(code)
    server = dnsmasq_command(needs("dnsmasq"), 53)
    program = [python(), "-I", stage.folder / "resolve.py", *arguments]
    script = OWN_NETWORK.replace("set -e", f"set -e; PATH=$PATH:/usr/sbin:/sbin; : {needs('ip')}")
    run = shlex.join(scopetrace_command("run", "--", *program))
    outside = [needs("unshare"), "-rmn", "sh", "-c", script + run, "sh", resolv, nsswitch, log]
    home = stage.new_home()
    ending = stage.run([*outside, *server])
    if b"unshare failed" in ending.stderr:
        pytest.skip("unshare may not make a network here")
    assert (ending.status, ending.stderr) == (0, b"")
    return stage.finished(home, ending)


CONNECT = """
import socket
server = ("here.scope.test", 53)
socket.create_connection(server).close()
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.sendto(b"", server)
try: socket.create_connection(("here.scope.test", 1))
except ConnectionRefusedError: pass
socket.create_connection(("127.0.0.1", 53)).close()
"""


def test_who_is_spoken_to_has_the_name_that_was_asked_for(stage: Stage, needs: Needs) -> None:
    recording = record_in_own_network(stage, needs, CONNECT)

    named = [
        (e.source, e.data["net_transport"], e.data["net_peer_port"])
        for e in recording.of("net")
        if e.data.get("net_peer_name") == "here.scope.test"
    ]
    assert {("net.open", "IP.TCP", 53), ("net.close", "IP.TCP", 53)} <= set(named)
    assert ("net.open", "IP.UDP", 53) in named
    assert ("net.error", "IP.TCP", 1) in named
    before = next(e for e in recording.of("net.open") if e.data["net_transport"] == "IP.UDP")
    assert "net_peer_name" not in before.data

    actions = {touch["action"] for touch in who(stage, "here.scope.test")}
    assert {"lookup", "connect", "fail"} <= actions
    (refused,) = [t for t in who(stage, "here.scope.test:1") if t["action"] != "lookup"]
    assert (refused["error"], refused["net_peer_ip"]) == ("ECONNREFUSED", HOST)


def who(stage: Stage, peer: str) -> list[dict[str, Any]]:
    ending = stage.run(scopetrace_command("who", peer, "-j"))
    assert (ending.status, ending.stderr) == (0, b"")
    return [json.loads(line) for line in ending.stdout.splitlines()]


def test_the_c_library_asks_for_both_kinds_of_addresses(stage: Stage, needs: Needs) -> None:
    wanted = ["host.scope.test", "alias.scope.test", "absent.scope.test"]
    recording = record_in_own_network(stage, needs, RESOLVE, *wanted)

    found = ["192.0.2.7", "2001:db8::7"]
    assert [json.loads(line) for line in recording.ending.stdout.splitlines()] == [
        ["host.scope.test", found],
        ["alias.scope.test", found],
        ["absent.scope.test", []],
    ]
    asked = Counter((e.data["type"], e.data["domain"]) for e in recording.of("dns.req"))
    assert asked == Counter((kind, name) for name in wanted for kind in ("A", "AAAA"))
    assert asked == Counter(
        (kind, name) for kind, name, _ in QUERY.findall((stage.work / "dnsmasq.log").read_text())
    )
    answers = {(e.data["type"], e.data["domain"]): e.data for e in recording.of("dns.resp")}
    assert len(answers) == len(recording.of("dns.resp")) == 6
    for kind, addresses in ADDRESSES.items():
        assert answers[kind, "host.scope.test"]["addrs"] == addresses
        assert answers[kind, "alias.scope.test"]["addrs"] == addresses
        assert answers[kind, "absent.scope.test"]["rcode"] == "NXDOMAIN"
    assert recording.of("dns.error") == []
