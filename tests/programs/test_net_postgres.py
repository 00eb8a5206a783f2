"""PostgreSQL: psql as a client, and a server that makes a process for each connection."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.harness import Stage
from support.net_events import assert_same_bytes, flows, protocols
from support.net_peers import Relay, compare, free_port, record_server, serve
from support.postgres import is_ready, new_database, psql, server_command, without_privileges

Needs = Callable[[str], str]

QUERIES = """
create table things (name text, size integer);
insert into things select 'thing ' || n, n from generate_series(1, 2000) as n;
select count(*), sum(size) from things;
select * from things order by size limit 300;
select nonsense;
drop table things;
"""


@pytest.fixture
def database(stage: Stage, programs: Path, template: Path) -> Iterator[int]:
    """The port of a server that is not recorded."""
    port, data = free_port(), new_database(stage, template)
    command = without_privileges(server_command(programs, data, port))
    with serve(command, lambda: is_ready(data), cwd="/", log=stage.folder / "postgres.log"):
        yield port


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
    port, data = free_port(), new_database(stage, template)

    def clients() -> Relay:
        with Relay(port) as relay:
            command = [*map(str, psql(needs("psql"), relay.port))]
            for _ in range(2):
                subprocess.run(
                    command, input=QUERIES.encode(), check=True, timeout=30, capture_output=True
                )
        return relay

    stage.work.chmod(0o755)
    command = server_command(programs, data, port)
    if stage.uid is None:
        command = without_privileges(command)
    served = record_server(stage, command, lambda: is_ready(data), clients, stop=shut_down)

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
