"""A static Go program, which has no C library: a web server and its client in one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support.harness import Stage
from support.net_events import both_sides, by_port, lengths, notices, protocols, told_by_both_sides
from support.net_peers import PEERS, compare, without_numbers
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]


@pytest.fixture(scope="session")
def go_web(commons: Path, needs: Needs) -> Path:
    program = commons / "go-web"
    environ = os.environ | {"CGO_ENABLED": "0", "GO111MODULE": "off"}
    environ.setdefault("HOME", str(commons))
    build = [needs("go"), "build", "-o", program, PEERS / "web.go"]
    subprocess.run(build, env=environ, check=True)
    return program


def lines(output: bytes) -> list[bytes]:
    return sorted(without_numbers(output).splitlines())


def test_both_ends_of_each_exchange(stage: Stage, go_web: Path) -> None:
    page = stage.folder / "page"
    page.write_bytes(b"p" * 300_000)
    recording = compare(stage, [go_web, page], same=lines)

    assert recording.ending.status == 0
    said = told_by_both_sides(recording)
    assert sum(said.values()) == 2 * 37
    assert both_sides(recording, by_port) == said
    assert len(recording.of("http.req")) == 2 * 37
    assert sorted(lengths(recording, "http.resp"))[-4:-2] == [300_000] * 2
    connections = {port for _, port, *_ in said}
    assert protocols(recording) == {"HTTP": 2 * len(connections)}
    assert notices(recording) == []
