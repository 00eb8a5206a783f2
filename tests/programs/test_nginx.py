"""nginx becomes a daemon with workers; recording goes on in the background until it is stopped."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.harness import Recording, Stage, scopetrace_command, wait_for

CONFIGURATION = """
worker_processes 2;
pid {work}/nginx.pid;
error_log {work}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log {work}/access.log;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    server {{ listen 127.0.0.1:{port}; root {work}/pages; }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def configure(stage: Stage) -> int:
    """Write a configuration and a page, and return the port nginx will listen on."""
    stage.work.chmod(0o777)
    port = free_port()
    (stage.work / "nginx.conf").write_text(CONFIGURATION.format(work=stage.work, port=port))
    (stage.work / "pages").mkdir()
    (stage.work / "pages" / "index.html").write_text("a page\n")
    return port


def fetch(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        body: bytes = answer.read()
        return body


@contextmanager
def stopped_in_the_end(stage: Stage, nginx: list[str]) -> Iterator[None]:
    """Stop nginx whatever a test found, and wait until it is gone."""
    try:
        yield
    finally:
        stage.run([*nginx, "-s", "quit"])
        wait_for(lambda: not (stage.work / "nginx.pid").exists(), "nginx to be gone")


def recorded_as_root(stage: Stage) -> bool:
    return stage.uid is None and os.geteuid() == 0


def recorded(stage: Stage, program: str) -> Recording:
    port = configure(stage)
    error_log = str(stage.work / "error.log")
    nginx = [program, "-p", str(stage.work), "-e", error_log, "-c", str(stage.work / "nginx.conf")]
    home = stage.new_home()
    with stopped_in_the_end(stage, nginx):
        ending = stage.run(scopetrace_command("run", *nginx))
        assert (ending.status, ending.stdout, ending.stderr) == (0, b"", b"")
        for _ in range(5):
            assert fetch(port, "/") == b"a page\n"
    return stage.finished(home, ending)


def test_a_daemon_and_its_workers_are_recorded(stage: Stage, needs: Callable[[str], str]) -> None:
    recording = recorded(stage, needs("nginx"))
    work = str(stage.work)

    names = {Path(file).name for file in recording.files() if file.startswith(work)}
    assert {"nginx.conf", "nginx.pid", "access.log", "error.log", "index.html"} <= names
    if recorded_as_root(stage):
        assert "/etc/passwd" in recording.files()  # for the user its workers become
    assert any("openssl.cnf" in file for file in recording.files("fs.open", "fs.error"))
    requests = recording.messages(f"{work}/access.log")
    assert requests.count('"GET / HTTP/1.1" 200') == 5
    assert len({event.pid for event in recording.of("proc.exit")}) >= 4
    assert f"{work}/nginx.pid" in recording.files("fs.delete")


def test_workers_report_the_bytes_they_wrote_to_the_log_they_inherited(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    recording = recorded(stage, needs("nginx"))

    log = stage.work / "access.log"
    closed = recording.of("fs.close", file=str(log))
    assert sum(e.data["file_write_bytes"] for e in closed) == log.stat().st_size
    opened = {event.pid for event in recording.of("fs.open", file=str(log))}
    assert {e.pid for e in closed if e.data["file_write_bytes"]}.isdisjoint(opened)
