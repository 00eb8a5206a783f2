"""Who touched a file, a peer or a process: scripts, make, git and curl, whose doings are known."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from support.harness import Ending, Stage, scopetrace_command
from support.users import one_user

pytestmark = one_user("what is read of sessions does not depend on rights")

Needs = Callable[[str], str]


def record(stage: Stage, *command: str) -> None:
    stage.new_home()
    stage.record(command)


def who(stage: Stage, what: str) -> list[dict[str, Any]]:
    ending = ask(stage, what, "-j")
    assert (ending.status, ending.stderr) == (0, b"")
    return [json.loads(line) for line in ending.stdout.splitlines()]


def ask(stage: Stage, *question: str) -> Ending:
    return stage.run(scopetrace_command("who", *question))


def told(touches: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(touch["action"], touch["proc"]) for touch in touches]


SCRIPT = """
echo one > report.txt
mkdir archive
mv report.txt archive/old.txt
cat archive/old.txt
mv archive attic
(rm attic/old.txt)
"""


@pytest.fixture
def script(stage: Stage) -> None:
    (stage.work / "script.sh").write_text(SCRIPT)
    record(stage, "sh", "script.sh")


@pytest.mark.usefixtures("script")
class TestAScript:
    @pytest.mark.parametrize(
        "name", ["report.txt", "./report.txt", "archive/old.txt", "attic/old.txt", "old.txt"]
    )
    def test_who_deleted_my_file_by_any_of_its_names(self, stage: Stage, name: str) -> None:
        touches = who(stage, name)

        did = [(action, proc) for action, proc in told(touches) if action != "fail"]
        assert did == [
            ("open", "sh"),
            ("write", "sh"),
            ("rename", "mv"),
            ("open", "cat"),
            ("read", "cat"),
            ("rename", "mv"),
            ("delete", "rm"),
        ]
        last = touches[-1]
        assert last["file"] == f"{stage.work}/attic/old.txt"
        assert re.fullmatch(r"rm\[\d+\] sh\[\d+\]", " ".join(last["chain"][:2]))
        assert last["chain"][-1].startswith("sh[")

    @pytest.mark.parametrize("form", [(), ("--format", "csv"), ("--format", "md")])
    def test_every_form_says_it(self, stage: Stage, form: tuple[str, ...]) -> None:
        ending = ask(stage, "report.txt", *form)

        assert (ending.status, ending.stderr) == (0, b"")
        (line,) = [line for line in ending.stdout.splitlines() if b"delete" in line]
        assert b"rm[" in line
        assert b"sh[" in line

    def test_a_wrong_name_gets_the_nearest(self, stage: Stage) -> None:
        ending = ask(stage, "reprot.txt")

        assert (ending.status, ending.stdout) == (1, b"")
        assert b"has nothing about reprot.txt; did you mean " in ending.stderr
        assert f"{stage.work}/report.txt".encode() in ending.stderr


def test_an_end_of_several_paths_lists_them(stage: Stage) -> None:
    record(stage, "sh", "-c", "mkdir a b; echo 1 > a/same; echo 2 > b/same")
    ending = ask(stage, "same")

    work = stage.work
    sentence = (
        f"scopetrace: 2 files are named same: {work}/a/same, {work}/b/same; give a whole path\n"
    )
    assert ending == Ending(b"", sentence.encode(), 2)


def test_a_file_that_is_written_anew_by_a_rename(stage: Stage) -> None:
    record(stage, "sh", "-c", "echo 1 > conf; echo 22 > conf.tmp; mv conf.tmp conf; rm conf")

    touches = who(stage, "conf")
    assert [touch["file_write_bytes"] for touch in touches if touch["action"] == "write"] == [2, 3]
    assert told(touches)[-1] == ("delete", "rm")


def test_who_made_a_file_goes_up_to_make(stage: Stage, needs: Needs) -> None:
    make = needs("make")
    (stage.work / "Makefile").write_text("all: out\nout:\n\t@touch out; touch other\n")
    record(stage, make)

    touches = who(stage, "out")
    (opened,) = [touch for touch in touches if touch["action"] == "open"]
    assert [label.partition("[")[0] for label in opened["chain"]] == ["touch", "sh", "make"]


def test_who_replaced_the_head_of_a_repository(stage: Stage, needs: Needs) -> None:
    git = needs("git")
    record(stage, git, "init", "-q", "-b", "main", "place")

    touches = who(stage, "place/.git/HEAD")
    assert ("rename", "git") in told(touches)
    assert f"{stage.work}/place/.git/HEAD.lock" in {touch.get("file") for touch in touches}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_curl_and_the_server_it_asks(stage: Stage, needs: Needs) -> None:
    curl, port = needs("curl"), free_port()
    (stage.work / "index.html").write_text("hello\n")
    script = f"""
        python3 -u -m http.server --bind 127.0.0.1 {port} > log 2>&1 & server=$!
        until grep -q Serving log; do sleep 0.05; done
        {curl} -s http://127.0.0.1:{port}/ http://127.0.0.1:{port}/index.html
        kill $server; wait $server; {curl} -s http://127.0.0.1:{port}/; true
    """
    record(stage, "sh", "-c", script)

    touches = who(stage, f"127.0.0.1:{port}")
    assert touches == who(stage, f":{port}")
    clients = [touch for touch in touches if touch["action"] == "connect"]
    assert [(touch["proc"], touch["net_protocol"]) for touch in clients] == [("curl", "HTTP")] * 2
    assert [touch["requests"] for touch in clients] == [1, 1]
    accepted = [touch for touch in touches if touch["action"] == "accept"]
    assert {touch["proc"] for touch in accepted} == {"python3"}
    assert [touch["net_bytes_recv"] for touch in accepted] == [
        touch["net_bytes_sent"] for touch in clients
    ]
    assert ("listen", "python3") in told(touches)
    (refused,) = [touch for touch in touches if touch["action"] == "fail"]
    assert (refused["proc"], refused["error"]) == ("curl", "ECONNREFUSED")


UNIX = """
import os, socket
server = socket.socket(socket.AF_UNIX)
server.bind("door")
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(os.path.abspath("door"))
client.send(b"knock")
server.accept()[0].recv(5)
client.close()
server.close()
os.unlink("door")
"""


def test_a_unix_socket_is_a_peer_and_a_file(stage: Stage) -> None:
    record(stage, "python3", "-c", UNIX)

    for name in ("door", f"{stage.work}/door"):
        touches = who(stage, name)
        actions = [touch["action"] for touch in touches if touch["action"] != "fail"]
        assert actions[0] == "listen"
        assert {"connect", "accept"} <= set(actions)
        assert actions[-1] == "delete"
        (client,) = [touch for touch in touches if touch["action"] == "connect"]
        assert client["net_bytes_sent"] == 5


def test_a_process_its_programs_children_signals_and_end(stage: Stage) -> None:
    script = """
        mkfifo door
        sh -c 'sleep 0; echo $$ > pid; read line < door' &
        until [ -s pid ]; do sleep 0.05; done
        kill -TERM $(cat pid); wait $!; true
    """
    record(stage, "sh", "-c", script)

    pid = int((stage.work / "pid").read_text())
    touches = who(stage, str(pid))
    known = [t for t in touches if t["action"] != "exec" and t.get("signal") != "SIGCHLD"]
    assert [t["action"] for t in known] == ["start", "start", "signal", "end", "used"]
    started, child, signal, end, used = known
    assert (started["child_pid"], started["proc"]) == (pid, "sh")
    assert child["child_cmd"] == "sleep 0"
    assert (signal["signal"], signal["pid"]) == ("SIGTERM", started["pid"])
    assert end["signal"] == "SIGTERM"
    assert used["files_written"] == 1
    assert used["peers"] == 0


def test_a_process_that_never_was(stage: Stage) -> None:
    record(stage, "true")
    ending = ask(stage, str(2**22 + 1))

    assert ending.status == 1
    assert re.match(
        rb"scopetrace: session 1 has no process 4194305; the nearest are \d+", ending.stderr
    )
