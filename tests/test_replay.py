"""The replay of raw records (bench/replay.py): the same rows each time, those of the program.

Modules with a .pxd beside them are compiled, and run uncompiled as well: both make the same rows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.interpreter import PACKAGE
from support.net_peers import free_port
from support.nginx import CONFIGURATION

REPLAY = Path(__file__).parents[1] / "bench/replay.py"
COMPILED = "[!_]*.cpython-*.so"
PROGRAM = """
import http.client, http.server, os, socket, subprocess, sys, tempfile, threading

class Hello(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

server = http.server.HTTPServer(("127.0.0.1", 0), Hello)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = http.client.HTTPConnection(*server.server_address)
for path in "/a", "/b", "/nowhere":
    client.request("GET", path)
    client.getresponse().read()
client.close()

os.chdir(tempfile.mkdtemp())
with open("a.log", "w") as log:
    log.write("one\\ntwo")
    os.dup2(log.fileno(), 40)
    os.write(40, b"three\\n")
os.close(40)
os.rename("a.log", "b.log")
os.chmod("b.log", 0o600)
for name in "b.log/x", "none", "\\udcff", "b.log":
    try:
        os.close(os.open(name, os.O_RDWR))
    except OSError as error:
        print(error, file=sys.stderr)
a, b = socket.socketpair()
a.send(b"x")
b.recv(1)
if os.fork() == 0:
    os._exit(3)
os.wait()
subprocess.run(["sh", "-c", "cat b.log | sort; kill -TERM $$"])
os.unlink("b.log")
"""


REAL_PROGRAMS = {
    "nginx and curl": (
        "nginx -e error.log -c $PWD/nginx.conf & for i in 1 2 3 4 5 6 7 8 9; do"
        " curl -sS --retry 9 --retry-connrefused http://127.0.0.1:$PORT/a http://127.0.0.1:$PORT/b"
        " && break; sleep 0.2; done; kill -QUIT $!; wait",
        "http.req http.resp net.open file",
    ),
    "make": (
        "printf 'all: a b\\n%%: ; echo $@ > $@\\n' > Makefile; make -j2; make -j2",
        "fs.open fs.error proc.start proc.exit",
    ),
    "git": (
        "git init -q . && echo x > x && git add x && git -c user.name=a -c user.email=a@b"
        " commit -qm x && git gc -q && git log",
        "fs.open fs.rename fs.delete proc.exit",
    ),
    "node": (
        'node -e \'require("fs").writeFileSync("a.log", "a");'
        ' require("http").get({port: process.env.PORT})'
        '.on("error", (e) => console.log(e.code))\'',
        "fs.open net.error stdout",
    ),
}
"""Real programs, and names that their rows have."""


def replay(*arguments: str | Path, path: Path | None = None) -> str:
    """Run the tool, with the package that is in the folder `path`; None: the one installed."""
    command = [sys.executable, "-P", REPLAY, *arguments]
    places = [REPLAY.parent] if path is None else [path, REPLAY.parent]
    environ = os.environ | {"PYTHONPATH": ":".join(map(str, places))}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    return done.stdout


def test_what_has_types_for_c_is_compiled() -> None:
    typed = {path.with_suffix("") for path in PACKAGE.rglob("*.pxd")}
    compiled = {path.with_name(path.name.partition(".")[0]) for path in PACKAGE.rglob(COMPILED)}
    assert typed
    assert compiled == (set() if os.environ.get("UNCOMPILED") else typed)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that has the package without its compiled modules."""
    folder = tmp_path_factory.mktemp("source")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns(COMPILED))
    return folder


def test_compiled_modules_make_the_rows_that_their_source_makes(
    tmp_path: Path, source: Path
) -> None:
    stream = tmp_path / "stream.raw"
    replay("record", stream, sys.executable, "-c", PROGRAM)

    rows = replay("rows", stream)

    assert rows == replay("rows", stream, path=source)
    assert "could not be understood" not in rows
    names = "fs.open fs.close fs.rename fs.error http.req http.resp net.open proc.exit proc.signal"
    assert [name for name in names.split() if f"'{name}'" not in rows] == []


@pytest.mark.parametrize("name", REAL_PROGRAMS)
def test_so_do_those_of_real_programs(
    name: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PORT", str(port))
    (tmp_path / "pages").mkdir()
    (tmp_path / "nginx.conf").write_text(
        CONFIGURATION.format(work=tmp_path, host="127.0.0.1", port=port, options="")
    )
    script, names = REAL_PROGRAMS[name]
    replay("record", "stream.raw", "sh", "-c", script)

    rows = replay("rows", "stream.raw")

    assert rows == replay("rows", "stream.raw", path=source)
    assert "could not be understood" not in rows
    assert [name for name in names.split() if f"'{name}'" not in rows] == []


def test_a_replayed_stream_becomes_the_same_rows_each_time(tmp_path: Path) -> None:
    stream, log = tmp_path / "stream.raw", tmp_path / "a.log"
    replay(
        "record",
        stream,
        "sh",
        "-c",
        f"echo hello > {log}; cat {log}; ls {tmp_path}/nowhere; exit 3",
    )

    rows = replay("rows", stream)

    assert rows == replay("rows", stream)
    lines = rows.splitlines()
    assert [line for line in lines if str(log) in line and "'fs.open'" in line]
    assert [line for line in lines if "nowhere" in line and "'fs.error'" in line]
    assert [line for line in lines if line.startswith("process ") and "'cat'" in line]
    assert "records in a second of CPU time" in replay("rate", stream, "--rounds", "1")
