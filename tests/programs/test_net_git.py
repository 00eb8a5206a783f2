"""git clones over its own protocol and over HTTP: programs that start programs that connect."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from support.harness import Recording, Stage
from support.net_events import assert_same_bytes, exchanges, flows, lengths, notices, protocols
from support.net_peers import (
    HOST,
    Relay,
    compare,
    free_port,
    is_listening,
    lines_of,
    peer,
    record_server,
    serve,
)
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]

AUTHOR = ["-c", "user.name=A", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false"]


def repository(folder: Path, git: str) -> Path:
    """Make a repository with one commit of a large and a small file; return the folder it is in."""
    root = folder / "repositories"
    source = root / "project"
    source.mkdir(parents=True)
    (source / "large").write_bytes(os.urandom(200_000))
    (source / "small").write_text("small\n")
    run = [git, "-C", source, *AUTHOR]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*run, *words], check=True)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return root


def is_whole(stage: Stage, root: Path, git: str) -> bool:
    """Tell whether the clone has what the repository has."""
    names = ("large", "small")
    return all(
        (stage.work / "clone" / name).read_bytes() == (root / "project" / name).read_bytes()
        for name in names
    )


def daemon(root: Path, port: int) -> list[str]:
    """Return the words by which git serves the repositories in a folder."""
    options = ["--reuseaddr", "--export-all", f"--base-path={root}"]
    return ["daemon", *options, f"--listen={HOST}", f"--port={port}"]


def clone(stage: Stage, git: str, url: str, relay: Relay) -> Recording:
    stage.environ["GIT_CONFIG_NOSYSTEM"] = "1"
    stage.environ["GIT_TERMINAL_PROMPT"] = "0"
    command = [git, "-c", "protocol.version=2", "clone", "-q", url, "clone"]
    recording = compare(stage, command, before=relay.forget)
    assert recording.ending.status == 0, recording.ending
    return recording


def test_over_its_own_protocol(stage: Stage, needs: Needs) -> None:
    git, port = needs("git"), free_port()
    root = repository(stage.folder, git)
    command = [git, "-c", "safe.directory=*", *daemon(root, port)]
    with serve(command, lambda: is_listening(port)), Relay(port) as relay:
        recording = clone(stage, git, f"git://{HOST}:{relay.port}/project", relay)
        assert_same_bytes(recording, relay)

    assert is_whole(stage, root, git)
    assert len(relay.wires) == 1
    assert len(relay.wires[0].received) > 200_000
    assert recording.of("http") == []
    assert protocols(recording) == {}


def test_over_http(stage: Stage, needs: Needs) -> None:
    git, port, log = needs("git"), free_port(), stage.folder / "git_server.log"
    root = repository(stage.folder, git)
    server = serve(peer("git_server.py", port, root), lambda: is_listening(port), log=log)
    with server, Relay(port) as relay:
        recording = clone(stage, git, f"http://{HOST}:{relay.port}/project", relay)
        assert_same_bytes(recording, relay)
    said = lines_of(log, 1)

    assert is_whole(stage, root, git)
    asked = [
        f"{each.method} {each.target} {each.status} {size}"
        for each, size in zip(exchanges(recording), lengths(recording, "http.resp"), strict=True)
    ]
    assert asked == said[len(said) // 2 :]
    assert [line.split()[0] for line in asked] == ["GET", "POST", "POST"]
    names = {event.proc for event in recording.of("http")}
    assert names == {"git-remote-http"}
    assert notices(recording) == []


def test_a_daemon_and_those_it_starts(stage: Stage, needs: Needs) -> None:
    """A connection is accepted by one process and served by another, as its standard input."""
    git, port = needs("git"), free_port()
    root = repository(stage.folder, git)
    command = [git, *daemon(root, port)]

    def clients() -> Relay:
        with Relay(port) as relay:
            url = f"git://{HOST}:{relay.port}/project"
            subprocess.run([git, "clone", "-q", url, stage.folder / "copy"], check=True, timeout=30)
        return relay

    stage.environ |= {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    served = record_server(stage, command, lambda: is_listening(port), clients)

    (wire,) = served.clients.wires
    used = flows(served.recording, local=port, peer=wire.server)
    assert sum(flow.received for flow in used) == len(wire.sent)
    assert sum(flow.sent for flow in used) == len(wire.received)
    opened = [
        e for e in served.recording.of("net.open") if e.data.get("net_peer_port") == wire.server
    ]
    assert [e.data["role"] for e in opened] == ["server"]
    closed = [
        e for e in served.recording.of("net.close") if e.data.get("net_peer_port") == wire.server
    ]
    assert {e.channel for e in closed} == {opened[0].channel}
