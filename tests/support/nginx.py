"""nginx with two workers, and its access log.

The log says of each request from which port it came, what was asked, how it was answered and with
how many bytes.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from support.harness import Stage
from support.net_peers import HOST, Served, free_port, is_listening, record_server

CONFIGURATION = """
daemon off;
worker_processes 2;
pid {work}/nginx.pid;
error_log {work}/error.log warn;
events {{ worker_connections 512; }}
http {{
    log_format lines '$remote_port $request_method $request_uri $status $body_bytes_sent'
                     ' $bytes_sent $request_length';
    access_log {work}/access.log lines;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    sendfile on;
    keepalive_requests 1000000;
    server {{ listen {host}:{port} {options} backlog=511; root {work}/pages; }}
}}
"""
SIZES = {"index.html": 7, "small": 512, "large": 5 << 20, "empty": 0}


class Line(NamedTuple):
    """A line of the access log."""

    port: int
    method: str
    target: str
    status: int
    body: int
    sent: int
    received: int


class Nginx:
    """nginx, as a stage's user would have it."""

    def __init__(self, stage: Stage, program: str, options: str = "") -> None:
        self.stage = stage
        self.port = free_port()
        stage.work.chmod(0o777)
        pages = stage.work / "pages"
        pages.mkdir()
        for name, size in SIZES.items():
            (pages / name).write_bytes(b"n" * size)
        configuration = stage.work / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(work=stage.work, host=HOST, port=self.port, options=options)
        )
        error_log = stage.work / "error.log"
        self.argv = [program, "-p", stage.work, "-e", error_log, "-c", configuration]

    def serve(self, clients: Callable[[], Any], run: Callable[..., Any] = record_server) -> Served:
        """Serve clients, recorded, and stop when the last of them has been served."""
        served: Served = run(
            self.stage, self.argv, lambda: is_listening(self.port), clients, stop=quit_in_peace
        )
        assert served.recording.ending.status == 0, served.recording.ending
        return served

    def log(self) -> list[Line]:
        """Return the access log."""
        lines = (self.stage.work / "access.log").read_text().splitlines()
        return [Line(int(p), m, t, *map(int, rest)) for p, m, t, *rest in map(str.split, lines)]


def quit_in_peace(pid: int) -> None:
    os.kill(pid, signal.SIGQUIT)
