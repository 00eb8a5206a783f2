"""Programs to run natively, under scopetrace and under strace."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from scopetrace import _engine
from scopetrace.config.load import load_config
from scopetrace.query import open_session
from scopetrace.sources.needs import needed_calls
from scopetrace.watch import Watch

PR_SET_CHILD_SUBREAPER = 36
HERE = Path(__file__).parent
COPIES = "copies"
"""A folder that is empty before each run."""


class Workload(NamedTuple):
    """A program, and how often it repeats the operation that is measured."""

    name: str
    argv: list[str]
    operations: int


class Comparison(NamedTuple):
    """Median seconds of one workload, run in each of the four ways."""

    workload: Workload
    native_s: float
    scopetrace_s: float
    gate_s: float
    """By scopetrace with `gate: auto`."""
    gated: float | None
    """The share of recorded calls that made no stop then; None: there were none."""
    strace_s: float | None
    """None: there is no strace here."""


def workloads(folder: Path) -> list[Workload]:
    """Build what the workloads need in `folder` and return them."""
    loops = compiled("cc", "loops", folder)
    imports = f"{sys.executable} -c 'import json, asyncio, http.client'"
    make_repository(folder / "repository")
    make_project(folder / "project")
    make_files(folder / "tree", 20)
    return [
        Workload("1-byte read", [loops, "read", "50000"], 50_000),
        Workload("1-byte write", [loops, "write", "50000"], 50_000),
        Workload("64-byte write to a log", [loops, "log", "50000"], 50_000),
        Workload("open + close", [loops, "open", "30000"], 30_000),
        Workload("unwatched call (getppid)", [loops, "getppid", "30000000"], 30_000_000),
        Workload("fork + exec + wait", [loops, "exec", "2000"], 2_000),
        Workload("python3 -c 'import json, asyncio…'", repeated(imports, 15), 15),
        Workload("git status, 5000 files", repeated("git -C repository status -s", 15), 15),
        Workload("sh, 300 times /bin/true", repeated("/bin/true", 300), 300),
        Workload("make -j2, 40 C files", ["make", "-s", "-j2", "-C", "project", "-B"], 1),
        Workload("1-byte read, 1,000 idle threads", [loops, "read", "50000", "1000"], 50_000),
        Workload("1-byte read, 5,000 idle threads", [loops, "read", "50000", "5000"], 50_000),
        Workload("cp of a tree, 1000 files", repeated(f"cp -r tree {COPIES}/$i", 5), 5),
        Workload("sqlite3, 5000 inserts", ["sh", "-c", f"{INSERTS} | sqlite3 inserts.db"], 5_000),
        *other_runtimes(folder),
    ]


INSERTS = """(
echo 'PRAGMA synchronous = off; CREATE TABLE IF NOT EXISTS t (value TEXT);'
i=0; while [ $i -lt 5000 ]; do echo "INSERT INTO t VALUES ('row $i');"; i=$((i+1)); done)"""
NODE = "for (let i = 0; i < 20000; i++) require('fs').readFileSync('/etc/passwd')"
GO = """package main
import "os"
func main() {
    for i := 0; i < 20000; i++ {
        if _, err := os.ReadFile("/etc/passwd"); err != nil {
            panic(err)
        }
    }
}
"""
JAVA = """import java.nio.file.*;
class Reads {
    public static void main(String[] arguments) throws Exception {
        for (int i = 0; i < 20000; i++)
            Files.readAllBytes(Path.of("/etc/passwd"));
    }
}
"""


def other_runtimes(folder: Path) -> Iterator[Workload]:
    """Yield a program that reads files for each way here in which programs make their calls."""
    if shutil.which("musl-gcc"):
        argv = [compiled("musl-gcc", "loops-musl", folder), "open", "30000"]
        yield Workload("musl: open + close", argv, 30_000)
    argv = [compiled("cc", "loops-static", folder, "-static"), "open", "30000"]
    yield Workload("static: open + close", argv, 30_000)
    yield Workload("static: fork + exec + wait", [argv[0], "exec", "2000"], 2_000)
    if shutil.which("node"):
        yield Workload("node: readFileSync", ["node", "-e", NODE], 20_000)
    if shutil.which("go"):
        (folder / "reads.go").write_text(GO)
        cached = os.environ | {"GOCACHE": str(folder / "go"), "CGO_ENABLED": "0"}
        subprocess.run(
            ["go", "build", "-o", "reads", "reads.go"], cwd=folder, env=cached, check=True
        )
        yield Workload("Go: os.ReadFile", [str(folder / "reads")], 20_000)
    if shutil.which("javac"):
        (folder / "Reads.java").write_text(JAVA)
        subprocess.run(["javac", "Reads.java"], cwd=folder, check=True)
        yield Workload("java: Files.readAllBytes", ["java", "-cp", str(folder), "Reads"], 20_000)


def compiled(compiler: str, name: str, folder: Path, *flags: str) -> str:
    """Compile loops.c and return the path of the program."""
    program = str(folder / name)
    command = [compiler, "-O2", "-pthread", *flags, "-o", program, str(HERE / "loops.c")]
    subprocess.run(command, check=True)
    return program


def repeated(command: str, times: int) -> list[str]:
    """Return a shell command that runs `command` many times: its own start hardly counts."""
    return ["sh", "-c", f"i=0; while [ $i -lt {times} ]; do {command}; i=$((i+1)); done"]


def make_repository(folder: Path) -> None:
    """A git repository of 5,000 small files in 100 folders."""
    make_files(folder, 100)
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@localhost"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)


def make_files(folder: Path, folders: int) -> None:
    """50 small files in each of so many folders."""
    for i in range(folders):
        (folder / f"part{i}").mkdir(parents=True)
        for j in range(50):
            (folder / f"part{i}" / f"file{j}.txt").write_text(f"{i} {j}\n")


def make_project(folder: Path) -> None:
    """A C project of 40 files."""
    folder.mkdir()
    names = [f"f{i}" for i in range(40)]
    for name in names:
        text = (
            f"#include <stdio.h>\n#include <stdlib.h>\nint {name}(void) {{ return getchar(); }}\n"
        )
        (folder / f"{name}.c").write_text(text)
    objects = " ".join(f"{name}.o" for name in names)
    (folder / "Makefile").write_text(
        f"library.a: {objects}\n\tar rc $@ $^\n%.o: %.c\n\t$(CC) -c -o $@ $<\n"
    )


def watched_calls() -> str:
    """Return what strace is to trace: the calls that the stock configuration watches."""
    modes = needed_calls(Watch(load_config(None, {})))
    return ",".join(f"?{name}" for name, group, *_ in _engine.calls() if modes[group])


def compare(workload: Workload, scopetrace: str, rounds: int) -> Comparison:
    """Run a workload in turn in each way, `rounds` times, and return the medians."""
    recorded = [scopetrace, "run", "--"]
    ways = {
        "native": [],
        "scopetrace": ["env", "SCOPE_GATE=off", *recorded],
        "gate": ["env", "SCOPE_GATE=auto", *recorded],
    }
    if strace := shutil.which("strace"):
        trace = ["-e", f"trace={watched_calls()}", "-o", "/dev/null", "--"]
        ways["strace"] = [strace, "-f", "--seccomp-bpf", *trace]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    gated = None
    for _ in range(rounds):
        for way, prefix in ways.items():
            shutil.rmtree(COPIES, ignore_errors=True)
            Path(COPIES).mkdir()
            seconds[way].append(timed([*prefix, *workload.argv]))
            wait_for_recorders(scopetrace)
            gated = gated_share() if way == "gate" else gated
            prune(scopetrace)
    middle = {way: statistics.median(values) for way, values in seconds.items()}
    return Comparison(
        workload,
        middle["native"],
        middle["scopetrace"],
        middle["gate"],
        gated,
        middle.get("strace"),
    )


def gated_share() -> float | None:
    """Return the share of calls of the last session that made no stop."""
    with open_session() as session:
        calls = session.summary().gate
    return calls.get("gated", 0) / sum(calls.values()) if calls else None


def timed(argv: list[str]) -> float:
    """Run a command and return the seconds until it ended."""
    before = time.perf_counter()
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def cpu_seconds(argv: list[str]) -> float:
    """Run a command and return the CPU time of all its processes, with that of its recorder."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with contextlib.suppress(ChildProcessError):
            while True:
                os.wait()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(write_end, repr(used.ru_utime + used.ru_stime).encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        found = float(said.read())
    os.wait()
    return found


def settle(scopetrace: str) -> None:
    """Have no recorder and no session that would slow the next measurement."""
    wait_for_recorders(scopetrace)
    prune(scopetrace)


def wait_for_recorders(scopetrace: str) -> None:
    """Wait until no recorder is closing its session."""
    while subprocess.run(
        [scopetrace, "history", "--running", "-j"], check=True, capture_output=True
    ).stdout:
        time.sleep(0.02)


def prune(scopetrace: str) -> None:
    subprocess.run([scopetrace, "prune", "--all", "--force"], check=False, capture_output=True)
