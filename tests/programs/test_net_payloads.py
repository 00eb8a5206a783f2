"""`run -p`: what `scopetrace flows` writes of a connection is what the peer got and sent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

from support.harness import Recording, Stage, scopetrace_command
from support.net_events import assert_same_bytes, exchanges, notices, requests, session_of
from support.net_peers import HOST, Relay, Wire, compare, web_server
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]

MOST = 1 << 20
"""curl reads more at once than is copied unless asked for."""


def scopetrace(stage: Stage, *arguments: str | Path) -> bytes:
    """Ask about the session that was just recorded."""
    done = stage.run(scopetrace_command(*arguments))
    assert (done.status, done.stderr) == (0, b""), done
    return done.stdout


def assert_same_payload(stage: Stage, relay: Relay) -> None:
    """Demand that the bytes of each flow are those of its wire."""
    listed = map(json.loads, scopetrace(stage, "flows", "--json", "--all").splitlines())
    flows = {
        flow["net_host_port"]: flow for flow in listed if flow.get("net_peer_port") == relay.port
    }
    assert sorted(flows) == sorted(wire.client for wire in relay.wires)
    for wire in relay.wires:
        number = str(flows[wire.client]["id"])
        assert digest(scopetrace(stage, "flows", number, "--out")) == digest(wire.sent)
        assert digest(scopetrace(stage, "flows", number, "--in")) == digest(wire.received)


def digest(data: bytes | bytearray) -> tuple[int, str]:
    return len(data), md5(data).hexdigest()


def fetch(stage: Stage, curl: str, relay: Relay, *arguments: str, **options: Any) -> Recording:
    command = [curl, "-q", "-sS", *arguments]
    recording = compare(stage, command, payloads=True, before=relay.forget, **options)
    assert recording.ending.status == 0, recording.ending
    relay.settle()
    return recording


def test_a_large_download_and_upload(stage: Stage, needs: Needs) -> None:
    stage.environ["SCOPE_FLOW_SNAPLEN"] = str(MOST)
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        url = f"http://{HOST}:{relay.port}"
        upload = stage.folder / "upload"
        upload.write_bytes(os.urandom(3 << 20))
        recording = fetch(
            stage,
            needs("curl"),
            relay,
            *f"-o down {url}/bytes/{3 << 20}".split(),
            *f"--next -sS -T {upload} -o up {url}/form".split(),
        )
        assert_same_bytes(recording, relay)

    assert_same_payload(stage, relay)
    assert sum(len(wire.sent) for wire in relay.wires) > 3 << 20
    assert sum(len(wire.received) for wire in relay.wires) > 3 << 20
    assert notices(recording) == []


def test_a_connection_that_is_kept(stage: Stage, needs: Needs) -> None:
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        urls = [f"http://{HOST}:{relay.port}/chunks/{size}" for size in range(0, 9000, 1500)]
        fetch(stage, needs("curl"), relay, *urls, "-d", "a=b")

    assert len(relay.wires) == 1
    assert_same_payload(stage, relay)


def test_the_pieces_of_a_connection_in_their_order(stage: Stage, needs: Needs) -> None:
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        url = f"http://{HOST}:{relay.port}/form"
        fetch(stage, needs("curl"), relay, "-d", "first", url, "-d", "more", url)

    with session_of(stage) as session:
        (flow,) = session.flows(peer=HOST)
        pieces = list(session.payload(flow.channel))
    assert [piece.time_ns for piece in pieces] == sorted(piece.time_ns for piece in pieces)
    ways = [piece.outgoing for piece in pieces]
    assert [way for n, way in enumerate(ways) if n == 0 or ways[n - 1] != way] == [
        True,
        False,
        True,
        False,
    ]


def test_without_p_no_byte_is_kept(stage: Stage, needs: Needs) -> None:
    with web_server(stage.folder) as server:
        compare(stage, [needs("curl"), "-q", "-sS", f"http://{HOST}:{server.port}/bytes/9"])

    with session_of(stage) as session:
        assert list(session.payload()) == []


def test_what_is_cut_off_is_counted(stage: Stage, needs: Needs) -> None:
    stage.environ["SCOPE_FLOW_SNAPLEN"] = "4096"
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        fetch(stage, needs("curl"), relay, f"http://{HOST}:{relay.port}/bytes/300000")

    (wire,) = relay.wires
    with session_of(stage) as session:
        (flow,) = session.flows(peer=HOST)
        kept = b"".join(piece.data for piece in session.payload(flow.channel, outgoing=False))
    assert flow.received.missing > 0
    assert flow.received.bytes == len(kept)
    assert flow.received.bytes + flow.received.missing == len(wire.received)
    ending = stage.run(scopetrace_command("flows", str(flow.id), "--in"))
    assert ending.stdout == kept
    assert f"{flow.received.missing:,} bytes" in ending.stderr.decode()


TSHARK_FIELDS = (
    "tcp.srcport",
    "tcp.dstport",
    "http.request.method",
    "http.request.uri",
    "http.response.code",
)


def test_another_program_reads_the_same_from_an_exported_capture(
    stage: Stage, needs: Needs
) -> None:
    stage.environ["SCOPE_FLOW_SNAPLEN"] = str(MOST)
    paths = ("/bytes/70000", "/chunks/2500", "/status/404", "/bytes/3")
    with web_server(stage.folder) as server, Relay(server.port) as relay:
        urls = [f"http://{HOST}:{relay.port}{path}" for path in paths]
        recording = fetch(stage, needs("curl"), relay, *into_files(urls))

    capture = stage.work / "out.pcapng"
    scopetrace(stage, "export", "--pcap", capture)
    rows = tshark(stage, needs("tshark"), capture, relay.port)
    assert [(int(row[0]), row[2], row[3]) for row in rows if row[2]] == requests(recording)
    assert [int(row[4]) for row in rows if row[4]] == [each.status for each in exchanges(recording)]
    (wire,) = relay.wires
    assert followed(stage, needs("tshark"), capture) == parts(wire)


def into_files(urls: list[str]) -> list[str]:
    return [word for n, url in enumerate(urls) for word in ("-o", f"body-{n}", url)]


def tshark(stage: Stage, program: str, capture: Path, port: int) -> list[list[str]]:
    """Return what tshark dissects of each message of HTTP."""
    fields = [word for name in TSHARK_FIELDS for word in ("-e", name)]
    command = [program, "-r", capture, "-d", f"tcp.port=={port},http", "-Y", "http", "-T", "fields"]
    done = stage.run([*command, "-E", "separator=,", *fields])
    assert done.status == 0, done
    return [line.split(",") for line in done.stdout.decode().splitlines()]


def followed(stage: Stage, program: str, capture: Path) -> tuple[str, str]:
    """Return what tshark makes of the two directions of the first connection, in hexadecimal."""
    done = stage.run([program, "-r", capture, "-q", "-z", "follow,tcp,raw,0"])
    lines = done.stdout.decode().splitlines()
    data = [line for line in lines if line.strip() and set(line.strip()) <= set("0123456789abcdef")]
    sent = "".join(line for line in data if not line.startswith("\t"))
    return sent, "".join(line.strip() for line in data if line.startswith("\t"))


def parts(wire: Wire) -> tuple[str, str]:
    return wire.sent.hex(), wire.received.hex()
