"""Whole recordings with destinations, as users start them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import Any

import pytest

from scopetrace.model.names import group_name
from support.collectors import HOST, collecting, datagrams, listener, read_all, udp_socket
from support.harness import GROUP, Ending, Recording, Stage, scopetrace_command, wait_for
from support.interpreter import python
from support.net_peers import free_port
from support.users import one_user

PROGRAM = ["sh", "-c", "cat /etc/passwd > copy; ls -d /; rm copy; echo some bytes >&2"]
CLOSED = ("fs", "fs.close")
FORWARD_ONLY = ("ssl", "socket", "scopetrace.forward.writer", "scopetrace.forward.connections")


def start(stage: Stage, *arguments: Any, program: list[str] = PROGRAM) -> Ending:
    stage.new_home()
    return stage.run(scopetrace_command("run", *arguments, "--", *program))


def bodies(stage: Stage, command: str, *options: str) -> list[dict[str, Any]]:
    """Return what a command prints as JSON."""
    done = stage.run(scopetrace_command(command, *options))
    return [json.loads(line) for line in done.stdout.splitlines()]


def as_sent(body: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value
        for key, value in body.items()
        if key not in ("id", "Id", "uid", "gid", "username", "groupname", "args")
    }


def unsent(recording: Recording) -> list[tuple[str, int]]:
    notices = [event.data for event in recording.of("notice")]
    return [(n["message"], n["count"]) for n in notices if n["reason"] == "unsent"]


def received(lines: list[bytes]) -> list[dict[str, Any]]:
    """Return what lines tell; the first one of a connection tells of none."""
    return [found["body"] for found in map(json.loads, lines) if "type" in found]


@one_user("a destination is open to every user here")
def test_what_is_received_is_what_the_session_has_one_by_one(stage: Stage) -> None:
    with collecting() as collector, udp_socket() as bound:
        ending = start(
            stage,
            "-e",
            f"tcp://{HOST}:{collector.port}",
            "-m",
            f"udp://{HOST}:{bound.getsockname()[1]}",
        )
        stage.finished(stage.home, ending)
        wait_for(lambda: collector.connections, "the end of the connection")
        metrics = datagrams(bound)

    events = [as_sent(body) for body in bodies(stage, "events", "-a", "-j")]
    assert received(collector.lines) == events
    assert received(metrics) == bodies(stage, "metrics", "-a", "--format", "ndjson")
    assert len(events) > 20
    assert len(metrics) > 10
    assert (ending.stdout, ending.stderr, ending.status) == (b"/\n", b"some bytes\n", 0)
    ids = {json.loads(line)["id"] for line in collector.lines[1:]}
    assert f"{events[0]['host']}-rm-rm copy" in ids


@one_user("a destination is open to every user here")
@pytest.mark.parametrize("wanted", ["true", "false"])
def test_the_first_line_says_who_is_recorded_and_how(stage: Stage, wanted: str) -> None:
    stage.environ["SCOPE_CONFIG_EVENT"] = wanted
    stage.environ["SCOPE_TAG_stage"] = "test"
    recording = stage.finished(stage.home, start(stage, "-e", "events"))

    first, *others = (stage.work / "events").read_bytes().splitlines()
    assert len(others) == len(recording.events) - (wanted == "false")
    if wanted == "false":
        assert json.loads(first)["body"]["source"] == recording.events[0].source
        return
    told = json.loads(first)
    process = told["info"]["process"]
    assert told.keys() == {"format", "info"}
    assert (process["pid"], process["cmd"]) == (recording.info.pid, " ".join(PROGRAM))
    assert (process["procname"], process["uid"]) == ("sh", recording.info.uid)
    assert process["gid"] == (os.getgid() if stage.uid is None else GROUP)
    assert process["groupname"] == group_name(process["gid"])
    assert process["username"] == recording.info.username
    assert process["hostname"] == recording.info.host
    current = told["info"]["configuration"]["current"]
    assert current["tags"] == {"stage": "test"}
    assert current["event"]["transport"]["path"] == f"{stage.work}/events"


@one_user("a destination is open to every user here")
def test_single_values_of_metrics_are_sent_with_the_events(stage: Stage) -> None:
    stage.environ["SCOPE_EVENT_METRIC"] = "true"
    recording = stage.finished(stage.home, start(stage, "-e", "events"))

    single = [event for event in recording.events if event.sourcetype == "metric"]
    told = received((stage.work / "events").read_bytes().splitlines())
    sent = [body["data"] for body in told if body["sourcetype"] == "metric"]
    assert [{**e.data, "proc": e.proc, "pid": e.pid} for e in single] == sent
    for name, field in (("fs.read", "file_read_bytes"), ("fs.write", "file_write_bytes")):
        moved = [event.data["_value"] for event in single if event.source == name]
        closed = [e.data[field] for e in recording.events if (e.sourcetype, e.source) == CLOSED]
        assert 0 < sum(moved) == sum(closed)


@one_user("a destination is open to every user here")
def test_metrics_can_be_lines_of_statsd(stage: Stage) -> None:
    with udp_socket() as bound:
        destination = f"udp://{HOST}:{bound.getsockname()[1]}"
        form = ["--metricformat", "statsd", "--metricprefix", "me."]
        stage.finished(stage.home, start(stage, "-m", destination, *form))
        lines = datagrams(bound)

    assert [line.split(b":")[0].decode() for line in lines] == [
        f"me.{body['_metric']}" for body in bodies(stage, "metrics", "-a", "--format", "ndjson")
    ]
    assert all(line.endswith(b"\n") and b"|#proc:" in line for line in lines)


@one_user("a destination is open to every user here")
def test_files_are_found_from_where_the_command_was_typed(stage: Stage) -> None:
    recording = stage.finished(stage.home, start(stage, "-e", "events", "-m", "file://metrics"))

    lines = (stage.work / "events").read_bytes().splitlines()
    assert len(received(lines)) == len(recording.events)
    assert (stage.work / "events").stat().st_mode & 0o777 == 0o600
    assert received((stage.work / "metrics").read_bytes().splitlines())


@one_user("a destination is open to every user here")
def test_a_configuration_names_destinations_too(stage: Stage, authority: Any) -> None:
    with collecting(context=authority.server) as collector:
        recording = stage.record(
            PROGRAM,
            config=(
                f"event: {{transport: {{type: tls, host: localhost, port: {collector.port},"
                f" tls: {{cacertpath: {authority.certificate}}}}}}}"
            ),
        )
        wait_for(lambda: collector.connections, "the end of the connection")

    assert len(received(collector.lines)) == len(recording.events)
    assert recording.ending.stderr == b"some bytes\n"


@one_user("a destination is open to every user here")
def test_an_unchecked_server_is_a_warning(stage: Stage, authority: Any) -> None:
    stage.environ["SCOPE_EVENT_TLS_VALIDATE_SERVER"] = "false"
    with collecting(context=authority.server) as collector:
        recording = stage.finished(stage.home, start(stage, "-e", f"{HOST}:{collector.port}"))
        wait_for(lambda: collector.connections, "the end of the connection")

    assert len(received(collector.lines)) == len(recording.events)
    assert recording.ending.stderr == (
        b"scopetrace: warning: SCOPE_EVENT_TLS_VALIDATE_SERVER: event.transport.tls.validateserver:"
        b" the server's certificate is not checked: any server can read what is sent\nsome bytes\n"
    )


@one_user("a destination is open to every user here")
def test_a_destination_that_is_not_there_costs_a_notice_and_nothing_else(stage: Stage) -> None:
    port = free_port()

    recording = stage.finished(stage.home, start(stage, "-e", f"tcp://{HOST}:{port}"))

    count = len(recording.events) - 1
    message = f"{count} events could not be sent to tcp://{HOST}:{port}: Connection refused"
    assert unsent(recording) == [(message, count)]
    assert recording.ending.stderr == b"some bytes\n"


MANY = ["sh", "-c", "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); : < /etc/passwd; done; echo done"]


@one_user("a destination is open to every user here")
def test_a_destination_that_reads_nothing_does_not_slow_the_program(stage: Stage) -> None:
    with listener() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        port = listening.getsockname()[1]
        ending = start(stage, "-e", f"tcp://{HOST}:{port}", program=MANY)
        slow, _ = listening.accept()
        recording = stage.finished(stage.home, ending)
        arrived = read_all(slow)

    found = received(arrived[: arrived.rfind(b"\n") + 1].splitlines())
    assert ending.stdout == b"done\n"
    assert len(recording.of("fs.open", file="/etc/passwd")) == 3000
    ((message, count),) = unsent(recording)
    assert message.endswith("it did not take them fast enough")
    assert len(found) == len(recording.events) - 1 - count
    assert found == [as_sent(body) for body in bodies(stage, "events", "-a", "-j")[: len(found)]]


@one_user("a destination is open to every user here")
def test_a_destination_that_closes_in_the_middle_loses_nothing_that_it_had_not_read(
    stage: Stage,
) -> None:
    waits = ["sh", "-c", "echo one; read line < pipe; echo two"]
    with listener() as listening:
        port = listening.getsockname()[1]
        stage.new_home()
        stage.run(["mkfifo", "pipe"])
        command = scopetrace_command("run", "-e", f"tcp://{HOST}:{port}", "--", *waits)
        user = {} if stage.uid is None else {"user": stage.uid, "group": stage.uid}
        with subprocess.Popen(
            command, cwd=stage.work, env=stage.environment(), stdout=subprocess.PIPE, **user
        ) as program:
            first, _ = listening.accept()
            assert first.recv(1)
            first.close()
            second, _ = listening.accept()
            stage.run(["sh", "-c", "echo go > pipe"])
            rest = read_all(second).splitlines()
            assert program.communicate()[0] == b"one\ntwo\n"
        recording = stage.finished(stage.home, Ending(b"", b"", program.returncode))

    assert unsent(recording) == []
    events = [as_sent(body) for body in bodies(stage, "events", "-a", "-j")]
    assert received(rest) == events[1 - len(rest) :]
    assert json.loads(rest[0])["info"]["process"]["procname"] == "sh"
    assert any("two" in body["data"].get("message", "") for body in received(rest))


@one_user("a destination is open to every user here")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["-e", "http://x"],
            "invalid value for '-e' / '--eventdest': 'http://x' is not a destination",
        ),
        (
            ["-m", "tcp://x"],
            "invalid value for '-m' / '--metricdest': 'tcp://x' is not a destination",
        ),
        (["-e", "no/such"], "event.transport: {work}/no/such: there is no folder {work}/no"),
        (
            ["-e", "file://stdout"],
            "invalid value for '-e' / '--eventdest': file://stdout: it is the output",
        ),
        (["-m", "unix://" + "x" * 108], "invalid value for '-m' / '--metricdest': unix://xxx"),
        (["-e", "file://\udcff"], "SCOPE_EVENT_DEST: its value is no UTF-8 text"),
        (["-e", "edge"], "invalid value for '-e' / '--eventdest': edge: scopetrace sends nothing"),
    ],
)
def test_a_bad_destination_is_one_sentence_and_no_program_starts(
    stage: Stage, arguments: list[str], sentence: str
) -> None:
    ending = start(stage, *arguments)

    assert (ending.stdout, ending.status) == (b"", 2)
    assert sentence.format(work=stage.work) in ending.stderr.decode()
    assert ending.stderr.count(b"\n") == 1
    assert not [*stage.home.glob("sessions/*.db")]


def test_a_recorder_without_destinations_knows_nothing_of_sockets() -> None:
    script = "import sys, scopetrace.recorder.background; print(*sys.modules)"
    done = subprocess.run(
        [python(), "-P", "-c", script], capture_output=True, text=True, check=True
    )

    assert [name for name in FORWARD_ONLY if name in done.stdout.split()] == []
