"""A signal at every instruction of the gate, trampolines and injections, in what is recorded.

stepper.c is preloaded into the recorder, so that what makes the steps is the recorder's own tracer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from scopetrace.recorder.command import HELD_BACK
from support.gate_code import compiled
from support.gate_files import TORTURE
from support.harness import Recording, Stage
from support.thorough import THOROUGH
from support.users import one_user

HERE = Path(__file__).parent
EVERY = 1 if TORTURE else 13 if THOROUGH else 41
"""A usual run takes each so-many'th instruction only, and always the first ones of an injection."""
Stepped = Callable[[str, int], Recording]

pytestmark = one_user("what interrupts a call does not depend on rights")


@pytest.fixture
def stepped(stage: Stage, commons: Path) -> Stepped:
    """Record a program of this folder whose steps are made.

    The recorder takes an LD_ variable that is held back for a sign that LD_PRELOAD is its own.
    """
    stepper = commons / "stepper.so"
    if not stepper.exists():
        flags = ("-shared", "-fPIC", "-O1", "-ldl")
        compiled(stepper, *flags, sources=("tests/gate/stepper.c",))

    def run(name: str, every: int) -> Recording:
        program = commons / name
        compiled(program, "-O1", "-pthread", sources=(f"tests/gate/{name}.c",))
        report = stage.work / "report"
        stage.environ = {
            "SCOPE_GATE": "eager",
            "LD_PRELOAD": str(stepper),
            f"{HELD_BACK.decode()}LD_AUDIT": "",
            "STEPPER_REPORT": str(report),
        }
        for file in ("read", "opened", "openat", "closing"):
            (stage.work / file).write_bytes(bytes(range(256)) * 64)
        return stage.record([program, report, "0", str(every)], timeout=3600 if TORTURE else 290)

    return run


def lines_of(recording: Recording) -> list[list[str]]:
    """Return what the program printed, and check that it found nothing wrong."""
    assert (recording.ending.stderr, recording.ending.status) == (b"", 3)
    return [line.split("|") for line in recording.ending.stdout.decode().splitlines()]


LEAST = {
    "read": 100,
    "stat": 100,
    "open": 400,
    "openat": 400,
    "open nothing": 200,
    "stat nothing": 200,
    "unlink": 200,
    "unlink nothing": 200,
    "unlinkat": 200,
    "mkdir": 100,
    "access to nothing": 200,
    "fchmod": 100,
    "sendfile": 100,
    "fcntl": 100,
    "dup": 100,
    "copy": 100,
    "pipe": 100,
    "copy of a socket": 100,
    "chmod": 100,
    "link": 100,
    "first write": 100,
    "socket": 150,
    "connect": 400,
    "accept": 400,
    "shutdown": 150,
    "close of a socket": 100,
    "getcwd": 100,
    "thread refused": 100,
    "thread": 100,
    "process refused": 100,
    "process": 100,
    "exec nothing": 200,
    "close the unknown": 100,
    "same users": 100,
    "same groups": 100,
    "limit": 100,
    "sendto": 200,
    "recvfrom": 200,
    "sendmsg": 300,
    "recvmsg": 200,
    "connect begun": 400,
    "socket error": 150,
    "connect again": 400,
    "first send": 400,
    "close of a connection begun": 400,
}
"""How many instructions a call has at least that is made in the gate."""


CONNECTIONS = (
    *("connect", "accept", "shutdown", "close of a socket", "connect begun", "socket error"),
    "copy of a socket",
    *("connect again", "connect once more", "first send", "close of a connection begun"),
)
"""Cases that begin and end one connection each time."""


@pytest.mark.timeout(0 if TORTURE else 300)
def test_a_signal_at_every_instruction_leaves_call_and_record_whole(stepped: Stepped) -> None:
    recording = stepped("recorded", EVERY)

    made: Counter[str] = Counter()
    for site, case, times, instructions in lines_of(recording):
        made[case] += int(times)
        if site != "traced":
            assert int(instructions) > LEAST.get(case, 0), (site, case)
    work = recording.info.cwd
    opened = Counter(event.data["file"] for event in recording.of("fs.open"))
    closed = Counter(event.data["file"] for event in recording.of("fs.close"))
    for name, case in (("opened", "open"), ("openat", "openat"), ("closing", "close")):
        assert opened[f"{work}/{name}"] == closed[f"{work}/{name}"] == made[case]
    (end,) = recording.of("fs.close", file=f"{work}/read")
    assert end.data["file_read_bytes"] == made["read"] + made["sendfile"]
    (end,) = recording.of("fs.close", file=f"{work}/copied")
    assert end.data["file_write_bytes"] == end.data["file_write_ops"] == made["sendfile"]
    failed = Counter(event.data["op"] for event in recording.of("fs.error"))
    assert failed["fcntl"] == made["lock of nothing"]
    assert len(recording.of("fs.delete", file=f"{work}/removed")) == made["unlink"]
    assert len(recording.of("fs.error", file=f"{work}/nowhere")) == made["unlink nothing"]
    assert len(recording.of("fs.error", file=f"{work}/absent")) == made["stat nothing"]
    assert len(recording.of("fs.delete", file=f"{work}/taken")) == made["unlinkat"]
    assert len(recording.of("fs.error", file=f"{work}/away")) == made["access to nothing"]
    refused = Counter(event.data["file"] for event in recording.of("fs.error"))
    assert refused[f"{work}/gone"] == made["exec nothing"]
    assert refused["/"] == made["exec a folder"]
    assert len(recording.of("proc.fork")) == made["process"]
    assert len(recording.of("fs.link")) == made["link"]
    assert len(recording.of("fs.mkdir")) == made["mkdir"]
    written = [
        event.data["file_write_bytes"] for event in recording.of("fs.close", file=f"{work}/written")
    ]
    assert written == [1] * made["first write"]
    connections = sum(made[case] for case in CONNECTIONS)
    for role in "client", "server":
        opened_now = recording.of("net.open")
        streams = [event for event in opened_now if event.data["net_transport"] == "IP.TCP"]
        roles = [event.data["role"] for event in streams]
        assert roles.count(role) == connections
    closed = recording.of("net.close")
    messages = [event for event in closed if event.data["net_transport"] == "IP.UDP"]
    assert len(closed) - len(messages) == 2 * connections
    sent = sum(event.data["net_bytes_sent"] for event in messages)
    received = sum(event.data["net_bytes_recv"] for event in messages)
    datagrams = ("sendto", "recvfrom", "sendmsg", "recvmsg")
    assert sent == received == sum(made[case] for case in datagrams)
    assert len(recording.of("fs.attr", file=f"{work}/copied")) == made["fchmod"] + made["chmod"]
    assert len(recording.of("fs.error", file=f"{work}/nothing")) == made["open nothing"]


@pytest.mark.timeout(120)
def test_a_signal_at_every_step_of_an_injection_comes_as_natively(stepped: Stepped) -> None:
    recording = stepped("injected", 1)

    got = [int(times) for _, times in lines_of(recording)]
    assert len(got) == 5
    assert min(got) > 12
    ends = Counter(event.data.get("signal") for event in recording.of("proc.exit"))
    assert (ends["SIGTERM"], ends["SIGKILL"]) == (got[1], got[4])
    assert (
        len(recording.of("fs.open", file=f"{recording.info.cwd}/read"))
        == sum(got[:1] + got[2:4]) + 5
    )
