"""A web server under load: requests a second natively, recorded, and under strace."""

from __future__ import annotations

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from figures import Figure
from workloads import settle, watched_calls

TRACING = Path(__file__).with_name("tracing.py")
LOAD_S = 3
CONFIGURATION = """
worker_processes 2;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log {folder}/access.log;
    keepalive_requests 10000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:{port}; root {folder}/pages; }}
}}
"""
WITHOUT_HTTP = {"SCOPE_EVENT_HTTP": "false", "SCOPE_METRIC_HTTP": "false"}


def serving(scopetrace: str, folder: Path, rounds: int) -> Iterator[Figure]:
    """Measure each way in turn, `rounds` times; yield the medians beside the native one."""
    nginx, wrk = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin"), shutil.which("wrk")
    if nginx is None or wrk is None:
        return
    command, port = configured(nginx, folder / "serving")
    ways: dict[str, tuple[list[str], dict[str, str]]] = {
        "natively": ([], {}),
        "without gate, HTTP off": ([scopetrace, "run", "--no-gate", "--"], WITHOUT_HTTP),
        "without gate, HTTP on": ([scopetrace, "run", "--no-gate", "--"], {}),
        "with gate, records thrown away": ([sys.executable, str(TRACING)], {}),
        "with gate, HTTP off": ([scopetrace, "run", "--gate", "--"], WITHOUT_HTTP),
        "with gate, HTTP on": ([scopetrace, "run", "--gate", "--"], {}),
    }
    if strace := shutil.which("strace"):
        trace = ["-e", f"trace={watched_calls()}", "-o", "/dev/null", "--"]
        ways["under strace"] = ([strace, "-f", "--seccomp-bpf", *trace], {})
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (prefix, variables) in ways.items():
            with served(prefix, command, port, os.environ | variables):
                rates[way].append(requests_a_second(wrk, port))
            settle(scopetrace)
    native = statistics.median(rates["natively"])
    for way, measured in rates.items():
        rate = statistics.median(measured)
        yield Figure(
            f"nginx, 2 workers, {way}", f"{rate:,.0f} requests/s", f"native ÷ {native / rate:.2f}"
        )


def configured(nginx: str, folder: Path) -> tuple[list[str], int]:
    """Write the configuration of nginx and a page; return its command line and port."""
    (folder / "pages").mkdir(parents=True)
    folder.parent.chmod(0o755)  # as root, nginx runs its workers as another user
    (folder / "pages/index.html").write_text("x" * 612)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    log = str(folder / "error.log")
    return [nginx, "-p", str(folder), "-e", log, "-c", str(folder / "nginx.conf")], port


@contextmanager
def served(
    prefix: list[str], command: list[str], port: int, environ: dict[str, str]
) -> Iterator[None]:
    """Start a server, run the body when it answers, and wait for the server's end."""
    with subprocess.Popen([*prefix, *command], env=environ, stderr=subprocess.DEVNULL) as server:
        while not answers(port):
            time.sleep(0.02)
        yield
        subprocess.run([*command, "-s", "quit"], check=True, stderr=subprocess.DEVNULL)
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def requests_a_second(wrk: str, port: int) -> float:
    load = [wrk, "-t2", "-c32", f"-d{LOAD_S}s", f"http://127.0.0.1:{port}/"]
    output = subprocess.run(load, check=True, capture_output=True, text=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert found, output
    return float(found[1])
