"""PostgreSQL: psql as a client, and a server that makes a process for each connection."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Argv, Stage
from net_events import assert_same_bytes, flows, protocols
from net_peers import HOST, Relay, compare, free_port, is_listening, record_server, serve

Needs = Callable[[str], str]

NOBODY = 65534
QUERIES = """
create table things (name text, size integer);
insert into things select 'thing ' || n, n from generate_series(1, 2000) as n;
select count(*), sum(size) from things;
select * from things order by size limit 300;
select nonsense;
drop table things;
"""


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where the programs of a server are; Debian has them not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("postgres is not installed")
    return found[-1].parent


def without_privileges(argv: Argv) -> Argv:
    """Return a command line that runs a program as nobody: a server refuses to be root."""
    if os.geteuid():
        return argv
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *argv]


@pytest.fixture(scope="session")
def template(commons: Path, programs: Path) -> Path:
    """An empty database that is copied for each server."""
    folder = commons / "postgres"
    folder.mkdir()
    folder.chmod(0o777)
    command = [
        programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "tester", "--no-sync",
        "--locale=C", "--encoding=UTF8",
    ]  # fmt: skip
    subprocess.run(without_privileges(command), check=True, capture_output=True, cwd="/")
    return folder / "data"


def new_database(stage: Stage, template: Path) -> Path:
    data = stage.folder / "data"
    shutil.copytree(template, data)
    data.chmod(0o700)
    if not os.geteuid():
        for path in (data, *data.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return data


def server_command(programs: Path, data: Path, port: int) -> Argv:
    """Return the command line of a server that makes no more processes than it must."""
    settings = {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "fsync": "off",
        "autovacuum": "off",
        "max_logical_replication_workers": "0",
        "jit": "off",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return [programs / "postgres", "-D", data, "-p", str(port), *options]


@pytest.fixture
def database(stage: Stage, programs: Path, template: Path) -> Iterator[int]:
    """The port of a server that is not recorded."""
    port = free_port()
    command = without_privileges(server_command(programs, new_database(stage, template), port))
    with serve(command, lambda: is_listening(port), cwd="/", log=stage.folder / "postgres.log"):
        yield port


def psql(program: str, port: int) -> Argv:
    return [
        program, "-X", "-A", "-q", "-h", HOST, "-p", str(port), "-U", "tester", "-d", "postgres",
    ]  # fmt: skip


def test_a_client(stage: Stage, needs: Needs, database: int) -> None:
    with Relay(database) as relay:
        command = psql(needs("psql"), relay.port)
        recording = compare(stage, command, before=relay.forget, input=QUERIES.encode())
        assert_same_bytes(recording, relay)

    assert b"2000|2001000\n" in recording.ending.stdout
    assert b'column "nonsense" does not exist' in recording.ending.stderr
    assert len(relay.wires) == 1
    assert protocols(recording) == {"PostgreSQL": 1}


def test_a_server_and_its_backends(
    stage: Stage, needs: Needs, programs: Path, template: Path
) -> None:
    """The connection is accepted by one process and served by another."""
    port = free_port()

    def clients() -> Relay:
        with Relay(port) as relay:
            command = [*map(str, psql(needs("psql"), relay.port))]
            for _ in range(2):
                subprocess.run(
                    command, input=QUERIES.encode(), check=True, timeout=30, capture_output=True
                )
        return relay

    stage.work.chmod(0o755)
    command = server_command(programs, new_database(stage, template), port)
    if stage.uid is None:
        command = without_privileges(command)
    served = record_server(stage, command, lambda: is_listening(port), clients, stop=shut_down)

    assert served.recording.ending.status == 0, served.recording.ending
    wires = served.clients.wires
    assert len(wires) == 2
    used = flows(served.recording, local=port)
    for wire in wires:
        own = [flow for flow in used if flow.peer == wire.server]
        assert sum(flow.received for flow in own) == len(wire.sent)
        assert sum(flow.sent for flow in own) == len(wire.received)
    assert protocols(served.recording) == {"PostgreSQL": 2}
    backends = {e.pid for e in served.recording.of("net.close") if e.data.get("net_bytes_sent")}
    assert len(backends) >= 2


def shut_down(pid: int) -> None:
    os.kill(pid, signal.SIGINT)
