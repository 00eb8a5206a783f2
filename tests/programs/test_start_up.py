"""What the stock rules take for the start-up of real programs, and what for their own.

Each program reads in.txt and writes out.txt, or does what is its work; what it reads of its own
beside these is listed here, from its manual.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pytest

from support.harness import Stage, scopetrace_command
from support.users import one_user

PYTHON = "print(open('in.txt').read()); open('out.txt', 'w').write('x')"
PERL = "open F, 'in.txt'; print <F>; open G, '>', 'out.txt'; print G 'x'"
RUBY = "File.write('out.txt', File.read('in.txt'))"
NODE = "const fs = require('fs'); fs.writeFileSync('out.txt', fs.readFileSync('in.txt'))"
JAVA = """
import java.nio.file.*;
public class Main {
    public static void main(String[] a) throws Exception {
        Files.copy(Path.of("in.txt"), Path.of("out.txt"));
    }
}
"""
MAKEFILE = "out.txt: in.txt\n\tcp in.txt out.txt\n"
PROGRAM = '#include <stdio.h>\nint main(void) { return puts("x") < 0; }\n'
NGINX = """
daemon off; master_process off; pid nginx.pid; error_log error.log;
events {}
http {
    access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server { listen unix:web.sock; }
}
"""


def own_files(stage: Stage, *command: str) -> dict[str, dict[str, Any]]:
    """Record a command in a folder with in.txt, and return its own files that were there."""
    stage.new_home()
    (stage.work / "in.txt").write_text("in\n")
    assert stage.run(scopetrace_command("run", *command)).status == 0
    listed = stage.run(scopetrace_command("files", "-j")).stdout.splitlines()
    files = [json.loads(line) for line in listed]
    start_up = [file for file in files if file["class"] != "own"]
    assert any(file["file"].endswith("/libc.so.6") for file in start_up)
    return {
        file["file"].removeprefix(f"{stage.work}/"): file
        for file in files
        if file["class"] == "own" and file["uses"] != "✖"
    }


@one_user("classes of files follow from their names")
@pytest.mark.parametrize(
    ("command", "beside"),
    [
        (["python3", "-c", PYTHON], []),
        (["perl", "-e", PERL], []),
        (["node", "-e", NODE], []),
        (["ruby", "-rjson", "-rset", "-e", RUBY], []),
        (["make", "-s"], ["Makefile"]),
        (["java", "Main.java"], ["Main.java"]),
        (["sh", "-c", "cat in.txt >out.txt"], []),
    ],
    ids=lambda value: value[0] if value else "",
)
def test_only_its_own_work_is_a_programs_own(
    command: list[str], beside: Sequence[str], stage: Stage, needs: Callable[[str], str]
) -> None:
    (stage.work / "Makefile").write_text(MAKEFILE)
    (stage.work / "Main.java").write_text(JAVA)
    needs(command[0])

    found = own_files(stage, *command)

    found.pop(str(stage.work), None)  # make lists its folder, java looks for classes there
    assert found.keys() == {"in.txt", "out.txt", *beside}
    assert "R" in found["in.txt"]["uses"] and "W" in found["out.txt"]["uses"]


@one_user("classes of files follow from their names")
def test_a_compilers_headers_and_objects_are_not_the_programs(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    (stage.work / "main.c").write_text(PROGRAM)

    found = own_files(stage, needs("cc"), "-o", "main", "main.c")

    assert {path for path in found if not Path(path).name.startswith("cc")} == {"main.c", "main"}


@one_user("classes of files follow from their names")
def test_a_library_that_a_compiler_makes_is_the_programs(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    (stage.work / "part.c").write_text("int part(void) { return 1; }\n")

    found = own_files(stage, needs("cc"), "-shared", "-o", "part.so", "part.c")

    assert {path for path in found if not Path(path).name.startswith("cc")} == {
        "part.c", "part.so"
    }  # fmt: skip


@one_user("classes of files follow from their names")
def test_what_git_and_curl_and_nginx_read_is_their_configuration_or_their_data(
    stage: Stage, needs: Callable[[str], str]
) -> None:
    (stage.work / "nginx.conf").write_text(NGINX)
    git = own_files(stage, needs("git"), "init", "-q", ".")
    curl = own_files(stage, needs("curl"), "-so", "out.txt", f"file://{stage.work}/in.txt")
    prefix = ["-p", str(stage.work), "-c", "nginx.conf", "-e", "error.log", "-t"]
    nginx = own_files(stage, needs("nginx"), *prefix)

    settings = {"/etc/gitconfig"}
    assert {path for path in git if path.startswith("/")} <= settings | {str(stage.work)}
    assert {".git/HEAD", ".git/config"} <= git.keys()
    assert curl.keys() == {"in.txt", "out.txt"}
    assert {"nginx.conf", "error.log"} <= nginx.keys()
    assert not [path for path in nginx if path.startswith(("/usr", "/lib"))]


def on_terminal(stage: Stage, columns: int, *command: str) -> list[str]:
    """Return the lines that scopetrace prints on a terminal."""
    program, *arguments = scopetrace_command(*command)
    environ = stage.environment() | {"NO_COLOR": "1"}
    with pexpect.spawn(
        program,
        arguments,
        cwd=str(stage.work),
        timeout=60,
        env=environ,
        dimensions=(50, columns),
    ) as child:
        child.expect(pexpect.EOF)
        return child.before.decode().replace("\r\n", "\n").strip().split("\n")


@one_user("classes of files follow from their names")
@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_what_is_the_programs_own(columns: int, stage: Stage) -> None:
    own_files(stage, "python3", "-c", PYTHON)
    *lines, hidden = on_terminal(stage, columns, "events")

    assert hidden.startswith("scopetrace: ") and hidden.endswith(
        " start-up events hidden: -A shows them"
    )
    assert not [line for line in lines if "libc.so" in line or "encodings" in line]
    for name in ("in.txt", "out.txt", "proc.exit exit_code:0"):
        assert any(name in line for line in lines), lines
    too_long = [line for line in lines if len(line) > columns]
    assert not [line for line in too_long if " " in line.strip()], "only a path may stand out"


def test_what_a_version_manager_starts_is_no_process_of_the_program(stage: Stage) -> None:
    """pyenv's `python3` is a script that runs others to find the one that it then becomes."""
    shims = stage.work / ".pyenv/shims"
    shims.mkdir(parents=True)
    shim = shims / "tool"
    shim.write_text(
        '#!/usr/bin/env bash\nfor one in 1 2 3; do readlink none; done\nexec sh -c "$1"\n'
    )
    shim.chmod(0o755)
    stage.new_home()
    command = [str(shim), "ls nowhere; ls /nowhere; exit 3"]
    assert stage.run(scopetrace_command("run", *command)).status == 3

    summary = stage.run(scopetrace_command("summary")).stdout.decode()
    why = stage.run(scopetrace_command("why")).stdout.decode()
    tree = stage.run(scopetrace_command("tree")).stdout.decode()
    shown = on_terminal(stage, 100, "tree")

    assert "3: ls (2 times), sh\n" in summary
    assert "3 start-up processes (of pyenv, npm...): scopetrace tree -A\n" in summary
    assert "readlink" not in summary + why
    assert tree.count("readlink none") == 3
    assert [line.split("  ")[0].split("] ")[1] for line in shown[:-1]] == [
        "sh -c 'ls nowhere; ls /nowhere; exit 3'", "ls nowhere", "ls /nowhere",
    ]  # fmt: skip
    assert shown[-1] == "scopetrace: 3 start-up processes hidden: -A shows them"
