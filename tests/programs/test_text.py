"""What programs write to logs and to their console: whole, in order, with its time."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from support.harness import (
    PATIENCE,
    Stage,
    only,
    read_events,
    read_info,
    scopetrace_command,
    session_files,
    wait_for,
)
from support.users import one_user

pytestmark = one_user("what is written to a file or console does not depend on rights")

TURNS = """
import os, sys, threading
log = os.open("turns.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
(mine, theirs), (yours, ours) = os.pipe(), os.pipe()

def speak(name, fd, awaited, answered):
    for turn in range(20):
        os.read(awaited, 1)
        os.write(fd, b"%s %d%s" % (name, turn, b"\\n" * (turn % 3)))
        os.write(answered, b"x")

os.write(theirs, b"x")
if sys.argv[1] == "threads":
    other = threading.Thread(target=speak, args=(b"other", log, yours, theirs))
    other.start()
    speak(b"one", log, mine, ours)
    other.join()
elif os.fork() == 0:
    if sys.argv[1] == "opened":
        log = os.open("turns.log", os.O_WRONLY | os.O_APPEND)
    speak(b"child", log, yours, theirs)
else:
    speak(b"parent", log, mine, ours)
    os.wait()
"""


@pytest.mark.parametrize("how", ["threads", "inherited", "opened"])
def test_two_writers_of_one_log_are_told_in_turn(how: str, stage: Stage) -> None:
    recording = stage.record(["python3", "-c", TURNS, how])

    log = stage.work / "turns.log"
    assert recording.messages(str(log)) == log.read_text()


TIMES = """
import json, os, time
log, seen = os.open("times.log", os.O_WRONLY | os.O_CREAT, 0o644), []
for line in range(30):
    before_ns = time.monotonic_ns()
    os.write(log, b"line %d\\n" % line)
    seen.append((before_ns, time.monotonic_ns()))
print(json.dumps(seen))
"""


def test_each_line_has_the_time_of_its_write(stage: Stage) -> None:
    recording = stage.record(["python3", "-c", TIMES])

    events = recording.of(str(stage.work / "times.log"))
    seen = json.loads(recording.ending.stdout)
    assert [event.data["message"] for event in events] == [f"line {n}\n" for n in range(30)]
    for (before_ns, after_ns), event in zip(seen, events, strict=True):
        since_first_ns = event.time_ns - events[0].time_ns
        assert before_ns - seen[0][1] <= since_first_ns <= after_ns - seen[0][0]


def test_writes_of_many_lines_are_few_events(stage: Stage) -> None:
    recording = stage.record(["/bin/sh", "-c", "seq 200000 > lines.log"])

    log = str(stage.work / "lines.log")
    (closed, *_) = (e for e in recording.of("fs.close", file=log) if e.data["file_write_ops"])
    assert recording.messages(log) == "".join(f"{n}\n" for n in range(1, 200_001))
    assert len(recording.of(log)) <= 2 * closed.data["file_write_ops"]


HANGS = "printf 'a line\\nhalf of one'; exec sleep 1000"


def test_text_is_in_the_session_soon_and_survives_the_recorder(stage: Stage) -> None:
    home = stage.new_home()
    user = stage.become()
    program = subprocess.Popen(
        scopetrace_command("run", "/bin/sh", "-c", HANGS),
        cwd=stage.work,
        env=stage.environment(),
        stdout=subprocess.DEVNULL,
        **user,
    )
    try:
        path = wait_for(lambda: only(session_files(home)), "the session")
        wait_for(
            lambda: (
                [e.data["message"] for e in read_events(path) if e.source == "stdout"]
                == ["a line\n", "half of one"]
            ),
            "what was written",
        )
        os.kill(read_info(path).recorder_pid, signal.SIGKILL)
        program.wait(PATIENCE)
    finally:
        program.kill()
        program.wait(PATIENCE)
    assert [e.data["message"] for e in read_events(path) if e.source == "stdout"] == [
        "a line\n",
        "half of one",
    ]


REOPENED = """
mkfifo fifo; exec 8<>fifo; ln -s /dev/stdout access.log; ln -s /dev/stderr error.log
echo plain; echo a >/dev/stdout; echo b >/proc/self/fd/1; echo c >/dev/fd/1
echo d | tee /dev/stderr >/dev/null; echo e >access.log; echo f >error.log
(exec 7>&2; echo g >/dev/fd/7); echo none >/dev/null; echo none >fifo
sh -c "echo h >/proc/$$/fd/2"
"""
PIPES = ["/bin/sh", "-c", '{ "$@" 2>&1 >&3 | cat >&2; } 3>&1 | cat', "sh"]
"""Only who made a pipe may open it again."""
SHOWN = {"stdout": "plain\na\nb\nc\ne\n", "stderr": "d\nf\ng\nh\n"}


@pytest.mark.parametrize("config", [None, "event: {watch: [{type: console}]}\n"])
def test_a_console_that_is_opened_again_is_the_console(config: str | None, stage: Stage) -> None:
    home = stage.new_home()
    (home / "scope.yml").write_text(config or "")
    options = ["-u", str(home / "scope.yml")] if config else []

    ending = stage.run(
        [*PIPES, *scopetrace_command("run", *options, "--", "/bin/sh", "-c", REOPENED)]
    )
    recording = stage.finished(home, ending)

    assert recording.ending.stdout.decode() == SHOWN["stdout"]
    assert recording.ending.stderr.decode() == SHOWN["stderr"]
    assert {name: recording.messages(name) for name in SHOWN} == SHOWN


OUT = "echo one; echo two >>out.txt; ln out.txt hard; echo three >>hard; cat out.txt >copy.txt"


@pytest.mark.parametrize("kind", ["file", "fifo"])
def test_a_file_or_fifo_that_is_stdout_is_that_by_its_own_name_too(kind: str, stage: Stage) -> None:
    redirected = ["/bin/sh", "-c", '"$@" >>out.txt', "sh"]
    if kind == "fifo":
        redirected = ["/bin/sh", "-c", 'mkfifo out.txt; exec 9<>out.txt; "$@" >out.txt', "sh"]
    commands = OUT if kind == "file" else OUT.rpartition(";")[0]
    home = stage.new_home()

    ending = stage.run([*redirected, *scopetrace_command("run", "/bin/sh", "-c", commands)])
    recording = stage.finished(home, ending)

    assert recording.messages("stdout") == "one\ntwo\nthree\n"


def test_a_log_that_is_named_by_a_symbolic_link_is_one(stage: Stage) -> None:
    commands = """
    : >data.txt; ln -s data.txt app.log; echo one >>app.log; cd /; echo two >>"$OLDPWD/app.log"
    cd "$OLDPWD"; mkdir real; ln -s real logs; echo three >logs/f; echo none >>data.txt
    """
    recording = stage.record(["/bin/sh", "-c", commands])

    assert recording.messages(str(stage.work / "data.txt")) == "one\ntwo\n"
    assert recording.messages(str(stage.work / "real/f")) == "three\n"


def test_lines_of_a_log_are_followed_while_the_program_writes(stage: Stage) -> None:
    script = "printf 'one\\ntwo\\n' >>a.log; read go; echo three >>a.log; read go"
    home, options = stage.new_home(), {"env": stage.environment(), "cwd": stage.work, "text": True}
    run, follow = scopetrace_command("run", "sh", "-c", script), ("events", "-f", "-t", "file")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **options, **stage.become()}
    with subprocess.Popen(run, **pipes) as program:
        wait_for(lambda: only(session_files(home)), "a session")
        with subprocess.Popen(scopetrace_command(*follow), **pipes) as follower:
            assert program.stdin and follower.stdout
            for words in (("one", "two"), ("three",)):
                for word in words:
                    assert follower.stdout.readline().endswith(f"a.log message:{word}\n")
                program.stdin.write("go\n")
                program.stdin.flush()
            assert follower.communicate(timeout=PATIENCE)[0] == ""


RACE = """
import os, signal, sys, threading
how, end = sys.argv[1], 1 if sys.argv[1] == "console" else os.open("race.log", 0o2101, 0o644)

def write(name, fd):
    for line in range(200):
        os.write(fd, b"%d %d\\n" % (name, line))

def fork(name):
    child = os.fork()
    if child == 0:
        write(name, os.open("race.log", os.O_WRONLY | os.O_APPEND) if how == "opened" else end)
        os._exit(0)
    return child

if how == "threads":
    threads = [threading.Thread(target=write, args=(name, end)) for name in range(3)]
    for thread in threads:
        thread.start()
else:
    children = [fork(name) for name in range(3)]
    for child in children:
        os.waitpid(child, 0)
"""


@pytest.mark.parametrize("how", ["threads", "inherited", "opened", "console"])
def test_writers_that_do_not_wait_for_each_other_are_told_in_the_order_of_the_file(
    how: str, stage: Stage
) -> None:
    recording = stage.record(["python3", "-c", RACE, how])

    log = stage.work / "race.log"
    if how == "console":
        assert recording.messages("stdout") == recording.ending.stdout.decode()
    else:
        assert recording.messages(str(log)) == log.read_text()


BLOCKED = """
import os, threading
os.mkfifo("full.log")
fd = os.open("full.log", os.O_RDWR)
other = os.open("full.log", os.O_RDWR | os.O_NONBLOCK)
blocked = threading.Thread(target=os.write, args=(fd, b"x" * (1 << 17)))
blocked.start()
got = b""
while len(got) < 1 << 17:
    try:
        os.write(other, b"y" * 8192)
    except BlockingIOError:
        got += os.read(fd, 1 << 16).replace(b"y", b"")
blocked.join()
print("all came")
"""


def test_a_writer_that_waits_for_another_goes_on_if_that_one_is_stuck(stage: Stage) -> None:
    recording = stage.compare(["python3", "-c", BLOCKED])

    assert recording.ending.stdout == b"all came\n"
    log = str(stage.work / "full.log")
    assert recording.messages(log).count("x") == 65_536
    assert any(event.data.get("missing") == 65_536 for event in recording.of(log))


KILLED = """
import os, signal
log = os.open("killed.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
for _ in range(40):
    children = []
    for name in range(4):
        child = os.fork()
        if child == 0:
            while True:
                os.write(log, b"a line of %d\\n" % name)
        children.append(child)
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)
"""


def test_writers_that_are_killed_while_they_wait_hold_nobody_up(stage: Stage) -> None:
    recording = stage.record(["python3", "-c", KILLED])

    ends = [event.data.get("signal") for event in recording.of("proc.exit")]
    assert ends.count("SIGKILL") == 160
