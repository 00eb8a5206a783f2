"""The lines of `syscalls` of recorded programs against those of `strace -f -v`.

Two runs of a program are compared, so what differs between runs is left out of the lines
(`support.strace_lines.counted`). Every other difference has its reason in differences.txt.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from support.harness import Compile, wait_for
from support.net_peers import HOST, free_port, is_listening
from support.strace_lines import ENVIRONMENT, Line, counted, joined, stale, unlisted, whole

SCOPETRACE = (sys.executable, "-P", "-m", "scopetrace")
PATIENCE_S = 90
SAME, FEW = 0.99, 5
"""So many lines are the same, whatever the reason; in short programs all but so many."""
PROGRAMS = [
    ["/bin/busybox", "cat", "/etc/passwd"],
    ["/bin/busybox", "ls", "-l", "/etc"],
    ["/bin/busybox", "sh", "-c", "echo a > f; busybox cp f g; busybox wc g; exit 3"],
    ["/usr/bin/python3", "-I", "-c", "import json; open('f', 'w').write('text')"],
    ["/usr/bin/git", "status"],
    ["/usr/bin/curl", "-s", "file:///etc/passwd"],
]
FAMILIES = {
    "files": ("opens", "paths", "dups", "positions", "close_range", "tmpfile"),
    "transfers": ("vectors", "sendfile", "mapped", "aio"),
    "network": ("sockets stream", "sockets passed", "sockets unix", "unix_names"),
    "processes": ("children", "execs", "killed"),
    "ipc": ("ipc",),
    "signals": ("restarts",),
    "all": ("whole", "refused", "filtered"),
}
"""What calls are about → tracees that make them with several arguments, each with its own."""
JAVA = """
public class Main {
    public static void main(String[] arguments) throws Exception {
        Thread thread = new Thread(() -> System.out.println("in a thread"));
        thread.start();
        thread.join();
    }
}
"""
GO = """
package main

import (
    "fmt"
    "os"
)

func main() {
    os.WriteFile("f", []byte("text"), 0o644)
    found, _ := os.ReadFile("f")
    fmt.Println(string(found))
}
"""
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 16; }}
http {{
    log_format no_time "$request $status";
    access_log {folder}/access.log no_time;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{ listen {host}:{port}; location / {{ return 200 "text"; }} }}
}}
"""
OWN_ID = re.compile(r"^set_tid_address\(\S+ = (\d+)", re.MULTILINE)
Use = Callable[[], None]
"""What is done with a program while it runs."""


class Runs:
    """Two runs of a program, each in a folder of the same name that is new."""

    def __init__(self, folder: Path, argv: Sequence[str], prepare: Use, use: Use) -> None:
        self.folder = folder
        self._argv = argv
        self._prepare, self._use = prepare, use
        home = folder.parent / "home"
        self._environ = {
            **ENVIRONMENT,
            "SCOPETRACE_HOME": str(home),
            "SCOPE_RECORD_ENVIRONMENT": "true",
        }

    def _run(self, *tracer: str) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self._prepare()
        nothing = subprocess.DEVNULL
        running = subprocess.Popen(
            (*tracer, *self._argv),
            env=self._environ,
            cwd=self.folder,
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
        )
        self._use()
        running.wait(PATIENCE_S)

    def traced(self) -> list[Line]:
        """Return the lines of strace."""
        output = self.folder.with_name("strace.out")
        self._run("strace", "-f", "-v", "-a1", "-o", str(output))
        return whole(joined(output.read_text(errors="surrogateescape").splitlines()))

    def recorded(self) -> list[Line]:
        """Return the lines of the recording."""
        self._run(*SCOPETRACE, "run", "-q", "--syscalls", "--")
        show = (*SCOPETRACE, "syscalls", "-a", "-A", "-v", "--no-fd-names")
        environ = {**os.environ, **self._environ}
        ending = subprocess.run(show, env=environ, capture_output=True, check=True)
        text = ending.stdout.decode(errors="surrogateescape")
        own = OWN_ID.search(text)
        return [split(line, own[1] if own else "") for line in text.splitlines()]


def split(line: str, own: str) -> Line:
    """Return the id of the thread, which stands in front if there are several, and the call."""
    first, _, rest = line.partition(" ")
    return (first, rest.lstrip()) if first.isdigit() else (own, line)


def nothing() -> None:
    """Neither prepare nor do anything."""


class Compared(NamedTuple):
    """The lines of a program, and how often each is there."""

    theirs: Counter[str]
    ours: Counter[str]

    def explained(self, program: str) -> None:
        """Assert that each difference has its reason, and that each reason has a difference."""
        found = (self.theirs - self.ours) + (self.ours - self.theirs)
        without_reason = unlisted(found, program)
        assert not without_reason, "\n".join(sorted(without_reason))
        assert stale(program, self.theirs + self.ours, found) == []

    def same(self) -> None:
        """Assert that nearly all lines are the same."""
        missing, more = self.theirs - self.ours, self.ours - self.theirs
        most = max(self.theirs.total() * (1 - SAME), FEW)
        assert max(missing.total(), more.total()) <= most


def compared(
    folder: Path, argv: Sequence[str], prepare: Use = nothing, use: Use = nothing
) -> Compared:
    """Run a program under strace and record it."""
    runs = Runs(folder / "work", argv, prepare, use)
    traced, recorded = runs.traced(), runs.recorded()
    tids = {tid for tid, _ in traced + recorded}
    return Compared(counted(traced, tids), counted(recorded, tids))


@pytest.mark.parametrize("argv", PROGRAMS, ids=" ".join)
def test_a_recording_has_the_lines_of_strace(argv: list[str], tmp_path: Path) -> None:
    def prepare() -> None:
        subprocess.run(("git", "init", "-q", tmp_path / "work"), check=True)
        (tmp_path / "work" / "new").write_text("text")

    lines = compared(tmp_path, argv, prepare)

    lines.explained(Path(argv[0]).name)
    lines.same()


@pytest.mark.parametrize("family", FAMILIES)
def test_calls_of_a_family_have_the_lines_of_strace(
    family: str, compile_tracee: Compile, tmp_path: Path
) -> None:
    for command in FAMILIES[family]:
        name, *arguments = command.split()
        folder = tmp_path / command
        folder.mkdir()
        compared(folder, [str(compile_tracee(name)), *arguments]).explained(name)


def test_a_server_has_the_lines_of_strace(tmp_path: Path) -> None:
    work, port = tmp_path / "work", free_port()

    def prepare() -> None:
        (work / "conf").write_text(NGINX.format(folder=work, host=HOST, port=port))

    def use() -> None:
        wait_for(lambda: is_listening(port), "nginx")
        connection = http.client.HTTPConnection(HOST, port)
        connection.request("GET", "/", headers={"Connection": "close"})
        assert connection.getresponse().read() == b"text"
        os.kill(int((work / "pid").read_text()), signal.SIGQUIT)

    argv = ["/usr/sbin/nginx", "-c", str(work / "conf")]
    lines = compared(tmp_path, argv, prepare, use)

    lines.explained("nginx")
    lines.same()


@pytest.mark.parametrize("program", ["go", "node", "java"])
def test_a_program_with_threads_has_the_lines_of_strace(program: str, tmp_path: Path) -> None:
    """Which thread comes first differs, and so do the calls by which threads wait."""
    argv = ["/usr/bin/node", "-e", "0"]
    if program == "go":
        (tmp_path / "main.go").write_text(GO)
        argv = [str(tmp_path / "program")]
        environ = {**os.environ, "GOCACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}
        subprocess.run(
            ("go", "build", "-o", argv[0], tmp_path / "main.go"), env=environ, check=True
        )
    if program == "java":
        (tmp_path / "Main.java").write_text(JAVA)
        subprocess.run(("javac", "-d", tmp_path, tmp_path / "Main.java"), check=True)
        argv = ["/usr/bin/java", "-cp", str(tmp_path), "Main"]

    compared(tmp_path, argv).explained(program)
