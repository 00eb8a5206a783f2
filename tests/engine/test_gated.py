"""Calls that programs make without stops: what they leave is what they leave where each one stops.

The rule: traced is always right, gated only faster. Programs run both ways, and what is recorded
of them is compared.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.model.event import EventRecord
from scopetrace.model.raw import Part, RawKind, RawRecord, Way
from scopetrace.query import open_session
from support.engine_run import calls, engine_run, of_kind
from support.equal_sessions import facts_of, plain
from support.gate_files import TORTURE
from support.harness import Compile, Ending, Recording, Stage
from support.interpreter import python
from support.users import one_user, without_rights

GATED = {"SCOPE_GATE": "eager"}
TRACED = {"SCOPE_GATE": "off"}

# -- that it is used ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("threads", "gate_at"),
    [(0, 1), (3, 1), (3, 100), (280, 1), (280, 100)],
    ids=["alone", "threads", "threads-first", "crowd", "crowd-first"],
)
def test_most_calls_of_a_program_make_no_stop(
    threads: int, gate_at: int, compile_tracee: Compile, tmp_path: Path
) -> None:
    """Also of more threads than an arena has slots, and where they are there before the gate."""
    folder = tmp_path / "work"
    folder.mkdir()
    program = compile_tracee("gated", "-pthread")

    records, _ = engine_run([program, str(threads)], folder, gate_at=gate_at, counts=True)

    end = records[-1]
    assert end.kind == RawKind.END
    stops, made = end.args[0], ways_of(records)[Way.GATED]
    assert made > 2000 * (threads + 1)
    assert stops < made / 10


def test_threads_like_those_before_them_need_no_stop_to_begin(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()

    records, output = engine_run([compile_tracee("threads_in_turn", "-pthread")], folder, gate_at=1)

    assert output == b"all right\n"
    made = ways_of(records)
    assert made[Way.EARLY] < 30
    assert made[Way.OTHER] < 10
    assert made[Way.GATED] > 60 * 19


def test_a_program_that_had_the_gate_before_has_it_from_its_first_call(tmp_path: Path) -> None:
    """Nor does that call stop where it returns, or the first one at another place."""
    folder = tmp_path / "work"
    folder.mkdir()
    script = "for number in $(seq 40); do /bin/cat /etc/passwd; done"

    records, _ = engine_run(["/bin/sh", "-c", script], folder, gate_at=12)

    assert ways_of(records)[Way.EARLY] < 150
    assert records[-1].args[0] < 2000


def ways_of(records: list[RawRecord]) -> dict[Way, int]:
    """Return how many calls were made in which way."""
    return {Way(record.arg1): record.arg2 for record in of_kind(records, RawKind.WAY)}


def test_each_call_has_one_way(compile_tracee: Compile, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    script = "cat /etc/passwd /etc/passwd/nowhere; cat < /etc/passwd; exec 3<&0; true"

    sums = []
    for gate_at in (1, 10**6):
        records, _ = engine_run(["/bin/sh", "-c", script], folder, gate_at=gate_at)
        sums.append(ways_of(records))

    gated, traced = sums
    assert sum(gated.values()) == sum(traced.values())
    assert {way for way, calls in traced.items() if calls} == {Way.EARLY, Way.OTHER}
    assert gated[Way.GATED] > gated[Way.SITE] > 0
    assert gated[Way.ASKED] > 0
    assert gated[Way.OTHER] == traced[Way.OTHER]


def test_the_session_has_how_calls_were_made(stage: Stage) -> None:
    stage.environ = GATED
    stage.prepare()

    recording = stage.record(["/bin/cat", "/etc/passwd", "/etc/passwd"])

    with open_session(recording.info.path) as session:
        gate = session.summary().gate
    assert gate["gated"] > 10


def test_folders_are_made_without_a_stop(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    command = ["/bin/mkdir", *(f"folder-{number}" for number in range(300))]

    records, _ = engine_run(command, folder, gate_at=1)

    assert len(calls(records, "mkdir")) == 300
    assert records[-1].args[0] < 150


TREES = """
import os, shutil, subprocess
def ask(*names):
    for name in names:
        try:
            os.stat(name)
        except OSError:
            pass
def plant(top):
    for number in range(100):
        folder = f"{top}/part-{number % 10}/{number}"
        os.makedirs(folder), ask(f"{folder}/x", f"{folder}/x/y", f"{folder}/")
        os.open(f"{folder}/file", os.O_CREAT | os.O_WRONLY)
top = os.getcwd()
plant("tree"), os.symlink("later/deep", "way"), ask("way", "way/x", "later/deep/x")
os.mkdir("later"), ask("way/x"), os.mkdir("later/deep"), ask("way/x"), os.mkdir("later/deep/x")
shutil.rmtree("later"), shutil.copytree("tree", "copy"), shutil.rmtree("copy")
for number in range(20):
    os.makedirs("a/b/c"), open("a/b/c/file", "w").close(), ask("a/b/c/gone", "a/b/c/gone/x")
    os.unlink("a/b/c/file"), os.rmdir("a/b/c"), ask("a/b/c/gone"), os.rmdir("a/b"), os.mkdir("a/b")
    os.chdir("a/b"), open("file", "w").close(), os.unlink("file"), os.rmdir("../b"), ask("x", "..")
    os.chdir(top), os.rmdir("a")
print(subprocess.run(["rm", "-rf", "tree"]).returncode)
"""


def test_trees_are_made_and_removed_with_few_stops(stage: Stage) -> None:
    recording = assert_equal_sessions(stage, ["/usr/bin/python3", "-c", TREES])

    assert recording.ending.status == 0
    with open_session(recording.info.path) as session:
        assert session.summary().gate["name"] < 300


KEPT = """
import os, subprocess, time
kept = [os.open(f"kept-{number}", os.O_RDWR | os.O_CREAT) for number in range(200)]
[os.write(fd, b"text\\n") for fd in kept[::2]], [os.read(fd, 9) for fd in kept[1::2]]
copies = [os.dup(kept[number]) for number in range(7)] + [os.dup(kept[9]) for _ in range(200)]
time.sleep(0.1)
os.rename("kept-1", "moved"), subprocess.run(["mv", "kept-2", "gone"]), os.unlink("kept-3")
os.rename("kept-4", "kept (deleted)"), os.mkdir("folder"), os.rename("kept-5", "folder/kept-5")
os.rename("folder", "other"), os.unlink("kept-6"), os.open("kept-6", os.O_CREAT)
[os.close(fd) for fd in kept], [os.close(fd) for fd in copies]
"""


def test_files_that_were_kept_open_are_closed_without_a_stop(stage: Stage) -> None:
    """Though they may have another name by then."""
    recording = assert_equal_sessions(stage, ["/usr/bin/python3", "-c", KEPT])

    assert recording.ending.status == 0
    assert recording.of("fs.close", file=f"{recording.info.cwd}/other/kept-5")
    with open_session(recording.info.path) as session:
        assert session.summary().gate["fd"] < 300


PIPES = """
import os
for number in range(300):
    left, right = os.pipe()
    os.write(right, b"x")
    os.read(left, 1)
    os.close(left)
    os.close(right)
"""


def test_pipes_are_made_and_used_without_a_stop(stage: Stage) -> None:
    recording = assert_equal_sessions(stage, ["/usr/bin/python3", "-c", PIPES])

    with open_session(recording.info.path) as session:
        ways = session.summary().gate
    assert ways["gated"] > 5 * 300
    assert sum(ways.values()) - ways["gated"] < 250


STARTS = """
import os, subprocess
def start(name, run=os.execv):
    try:
        run(name, ["x"])
    except OSError as error:
        print(error.errno)
top = os.getcwd()
os.makedirs("one/two"), os.symlink("one", "link"), os.symlink("one/absent", "dangling")
os.symlink("file", "loop-a"), os.symlink("loop-a", "file")
for name, text in ("script", "#!/nowhere/sh\\n"), ("empty", ""), ("plain", "no program\\n"):
    open(name, "w").write(text), os.chmod(name, 0o700)
for number in range(100):
    start(f"{top}/nowhere-{number}"), start(f"{top}/one/absent/{number}"), start(f"{top}/link/x")
for name in "absent", "one/absent", "link/absent", "", "x" * 300, "x" * 5000, "one", "/etc/passwd":
    start(name), start(f"{top}/{name}")
for name in "dangling", "loop-a", "script", "plain", "script/x", "dangling/x":
    start(f"{top}/{name}"), start(name), subprocess.run(["sh", "-c", f"./{name}"])
for number in range(30):
    name = f"{top}/made-{number}"
    start(name), open(name, "w").write("#!/nowhere/sh\\n"), os.chmod(name, 0o700), start(name)
    os.rename(name, f"{top}/dangling"), start(name)
os.environ["PATH"] = ":".join(f"{top}/{name}" for name in ("one", "one/two", "absent")) + ":/bin"
for number in range(10):
    print(subprocess.run(["true"]).returncode, os.posix_spawnp("true", ["true"], os.environ))
    print(os.wait()[1], subprocess.run(["true"], close_fds=False).returncode)
    try:
        subprocess.run([f"nowhere-{number}"])
    except OSError as error:
        print(error.errno)
print(subprocess.run(["sh", "-c", "nowhere; true"], cwd="one").returncode)
"""


def test_programs_that_are_not_there_are_looked_for_without_a_stop(stage: Stage) -> None:
    recording = assert_equal_sessions(stage, ["/usr/bin/python3", "-c", STARTS])

    assert recording.ending.status == 0
    with open_session(recording.info.path) as session:
        ways = session.summary().gate
    assert ways["gated"] > 300
    assert ways["other"] < 400


@one_user("what is counted of a file does not depend on rights")
@pytest.mark.parametrize("gate", ["off", "eager"])
def test_a_close_has_all_that_any_thread_has_read_and_written(
    gate: str, stage: Stage, compile_tracee: Compile
) -> None:
    stage.environ = {"SCOPE_GATE": gate}

    recording = stage.record([compile_tracee("shared_fds", "-pthread"), "8", "4000"], timeout=60)

    done = dict(line.split(" ", 1) for line in recording.ending.stdout.decode().splitlines())
    counts = ("file_read_bytes", "file_read_ops", "file_write_bytes", "file_write_ops")
    closed = [
        (Path(event.data["file"]).name, " ".join(str(event.data[count]) for count in counts))
        for event in recording.of("fs.close")
        if "/file-" in event.data["file"]
    ]
    assert sorted(closed) == sorted(done.items())
    assert len(closed) > 1000


def test_links_that_are_removed_are_looked_at_first(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    links = [folder / f"link-{number}" for number in range(100)]
    for link in links:
        link.symlink_to("there")

    records, _ = engine_run(["/bin/rm", *map(str, links)], folder, gate_at=1)

    made = ways_of(records)
    first_at_its_site = 1
    assert made[Way.NAME] >= len(links) - first_at_its_site


@pytest.mark.parametrize("size", [0, 1, 64, 4000, 20000])
def test_writes_whose_bytes_are_wanted_make_no_stop(
    size: int, compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    program = compile_tracee("writer")

    records, output = engine_run([program, "500", str(size)], folder, gate_at=1)

    written = calls(records, "write", "writev")
    assert b"".join(record.parts().get(Part.DATA, b"") for record in written) == output
    assert len(output) == 2 * 500 * size
    stops_of_a_write = 0 if size < 16000 else 1
    assert records[-1].args[0] < 1000 * stops_of_a_write + 200


@pytest.mark.parametrize("way", [(), ("apart",)])
def test_calls_on_connected_sockets_make_no_stop(
    way: tuple[str, ...], compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    program = compile_tracee("talk", "-pthread")

    records, _ = engine_run([program, "300", *way], folder, gate_at=1)

    sent = calls(records, "write", "writev", "sendto")
    assert len(sent) == 600
    assert all(record.transferred == len(record.parts()[Part.DATA]) for record in sent)
    received = calls(records, "read", "readv", "recvfrom")
    assert sum(record.transferred for record in received) == sum(
        record.transferred for record in sent
    )
    assert records[-1].args[0] < 400


def test_an_end_that_only_receives_makes_no_stop(compile_tracee: Compile, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()

    records, _ = engine_run([compile_tracee("pair"), "500"], folder, gate_at=1)

    assert [len(calls(records, name)) for name in ("sendto", "recvfrom")] == [500, 500]
    assert records[-1].args[0] < 150


# -- in which order -------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", range(4))
def test_writes_of_several_writers_are_in_the_order_of_the_file(
    attempt: int, compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()

    records, output = engine_run([compile_tracee("contended", "-pthread")], folder, gate_at=1)

    written = calls(records, "write", "writev")
    assert b"".join(record.parts()[Part.DATA] for record in written) == output


# -- that nothing of it shows ---------------------------------------------------------------------


def assert_equal_sessions(stage: Stage, argv: list[str | Path]) -> Recording:
    """Return the session without stops."""
    sessions = []
    for stage.environ in TRACED, GATED:
        stage.prepare()
        sessions.append(stage.record(argv))
    traced, gated = sessions
    assert lasting(gated.ending) == lasting(traced.ending)
    for before, after in zip(facts_of(traced.events), facts_of(gated.events), strict=True):
        pairs = zip(before.events, after.events, strict=False)
        assert [pair for pair in pairs if pair[0] != pair[1]] == []
        assert after == before
    return gated


def lasting(ending: Ending) -> tuple[int, str]:
    return ending.status, plain((ending.stdout + ending.stderr).decode(errors="backslashreplace"))


def written(*messages: str) -> list[EventRecord]:
    """Return events of text that one process wrote to its stdout."""
    return [
        EventRecord(
            number, 0, "console", "stdout", "", "", "", 1, 1, 0, 0, "", "", 0, {"message": message}
        )
        for number, message in enumerate(messages)
    ]


@pytest.mark.parametrize(
    ("messages", "equal"),
    [
        (["one\n", "two\n"], True),
        (["o", "ne\ntw", "o\n"], True),
        (["one\n"], False),
        (["one\n", "two\n", "two\n"], False),
        (["two\n", "one\n"], False),
    ],
    ids=["as-lines", "cut", "lost", "repeated", "reordered"],
)
def test_text_is_compared_by_its_bytes_and_not_by_where_it_was_cut(
    messages: list[str], equal: bool
) -> None:
    assert (facts_of(written(*messages)) == facts_of(written("one\ntwo\n"))) is equal


SHELL = """
for name in a b c d e f g h; do echo $name > $name.txt; done
cat *.txt *.txt nowhere.txt > all 2> refused; sort -o sorted all; uniq -c sorted
mv a.txt renamed.txt; echo more >> renamed.txt; ls; rm b.txt; test -e b.txt || exit 3
"""
PYTHON = """
import json, os, pathlib, subprocess, sys
sys.stdout.reconfigure(write_through=False, line_buffering=True)
for number in range(60):
    path = pathlib.Path(f"data-{number % 7}.json")
    path.write_text(json.dumps({"number": number}) * 200)
    with path.open() as file, open(f"copy-{number % 5}.log", "a") as log:
        for _ in range(3):
            log.write(file.read(100) + "\\n")
    os.stat(path), path.exists(), pathlib.Path(f"nowhere-{number}").exists()
    try:
        open(f"nowhere-{number}/deep")
    except OSError as error:
        print(error.errno)
    if number % 20 == 0:
        os.rename(path, f"moved-{number}.txt")
        print(subprocess.run(["cat", f"moved-{number}.txt"], capture_output=True).stdout[:9])
fd = os.open("positions", os.O_RDWR | os.O_CREAT)
for number in range(40):
    os.pwrite(fd, b"x" * number, number * 10)
    os.writev(fd, [b"ab", b"", b"cde"])
    os.pread(fd, 100, 0), os.preadv(fd, [bytearray(3), bytearray(4)], 5)
other = os.dup(fd)
os.close(fd)
print(os.read(other, 10), len(os.listdir()))
if os.fork() == 0:
    os._exit(os.write(other, b"child") + os.stat("/etc/passwd").st_uid)
print(os.wait()[1])
"""

NAMES = """
import os, shutil, threading
def visit(name, dir_fd=None):
    for _ in range(3):
        fd = os.open(name, os.O_RDWR | os.O_CREAT, dir_fd=dir_fd)
        os.write(fd, b"text\\n"), os.close(fd)
top = os.getcwd()
os.makedirs("one/two"), os.symlink("one", "link"), os.symlink("one/two/file", "direct")
names = "one/two/file", "./one//two/../two/file", "link/two/file", "direct", f"{top}/one/./file"
for name in names:
    visit(name)
for name in "one", "link/two", "one/../one":
    folder = os.open(name, os.O_RDONLY)
    visit("file", folder), visit("../file", folder), visit(f"{top}/other", folder)
    os.rename("one", "uno"), visit("file", folder), os.rename("uno", "one")
    os.close(folder)
os.chdir("one/two"), visit("file"), visit("../file"), visit("../../../" * 20 + f"{top}/file")
os.rename("../two", "../deux"), visit("file")
os.chdir(".."), visit("file"), os.chdir("/"), visit(f"{top[1:]}/one/file")
threads = [threading.Thread(target=visit, args=(f"{top[1:]}/{n}",)) for n in range(3)]
[(thread.start(), thread.join()) for thread in threads]
os.chdir(f"{top}/one/deux"), os.unlink("file"), os.rmdir(f"{top}/one/deux")
visit("../file"), visit("../../file")
"""

MISSING = """
import os, subprocess, threading
def ask(name, dir_fd=None):
    for question in os.stat, os.lstat, os.readlink, open:
        try:
            question(name, **({} if dir_fd is None or question is open else {"dir_fd": dir_fd}))
        except OSError:
            pass
    os.access(name, os.R_OK, dir_fd=dir_fd)
top = os.getcwd()
os.makedirs("one/two"), os.symlink("one", "link"), os.symlink("one/absent", "dangling")
os.symlink("absent", "one/loose")
names = "absent", "one/absent", "absent/absent/x", "link/absent", "link/../absent", "one/loose"
more = "dangling", "dangling/x", "/proc/self/fd/99", "/absent/absent", "/dev/stdin/x", "", "x" * 300
for _ in range(3):
    for name in names + more:
        ask(name), ask(f"{top}/{name}")
folder = os.open("one", os.O_RDONLY)
for name in names:
    ask(name, folder)
for number in range(30):
    name = f"made-{number}"
    ask(f"{name}/x"), os.mkdir(name), ask(f"{name}/x"), os.rename(name, "moved"), ask(f"{name}/x")
    ask("moved/x"), os.rmdir("moved"), ask("moved/x")
    os.symlink("moved", "moved"), os.unlink("moved"), ask("moved/x")
os.chdir("one/two"), ask("absent"), ask("../absent"), os.rename("../two", "../deux"), ask("absent")
threads = [threading.Thread(target=ask, args=(name,)) for name in names]
[(thread.start(), thread.join()) for thread in threads]
os.rmdir("../deux"), ask("absent"), ask("../absent"), ask(f"{top}/absent")
print(subprocess.run(["stat", "absent", top + "/absent"]).returncode)
"""

FOLDERS = """
import os, shutil, threading
def visit(folder, number):
    fd = os.open(folder, os.O_RDONLY)
    for name in "absent", "../absent", f"{number}/x", "", "one/absent/x", "/absent":
        for ask in os.stat, os.readlink, os.open:
            try:
                ask(name, dir_fd=fd, **({"flags": 0} if ask is os.open else {}))
            except OSError:
                pass
    made = os.open(f"file-{number}", os.O_WRONLY | os.O_CREAT, dir_fd=fd)
    copy = os.dup(made)
    os.write(copy, b"text\\n"), os.close(made), os.write(copy, b"more\\n"), os.close(copy)
    os.chmod(f"file-{number}", 0o600, dir_fd=fd), os.chown(f"file-{number}", -1, -1, dir_fd=fd)
    if number % 3:
        os.unlink(f"file-{number}", dir_fd=fd)
    elif number % 2:
        os.rename(folder, f"{folder}-{number}"), os.unlink(f"file-{number}", dir_fd=fd)
        os.rename(f"{folder}-{number}", folder)
    os.symlink("absent", "link", dir_fd=fd), os.unlink("link", dir_fd=fd)
    other = os.dup(fd)
    os.close(fd)
    try:
        os.unlink("gone", dir_fd=other)
    except OSError:
        pass
    os.close(other)
os.mkdir("one")
for number in range(30):
    visit("one", number)
threads = [threading.Thread(target=visit, args=(os.getcwd(), n)) for n in range(30, 34)]
[(thread.start(), thread.join()) for thread in threads]
proc = os.open("/proc/self", os.O_RDONLY)
try:
    os.stat("fd/99", dir_fd=proc)
except OSError:
    os.close(proc)
shutil.copytree("one", "two"), shutil.rmtree("one"), print(len(os.listdir("two")))
"""

MADE = """
import os
def ask(name):
    try:
        os.stat(name)
    except OSError:
        pass
go, gone, done, back = *os.pipe(), *os.pipe()
top = os.getcwd()
if os.fork() == 0:
    for number in range(60):
        os.read(go, 1), os.mkdir(f"{top}/theirs-{number}"), os.write(back, b"x")
    os._exit(0)
folder = os.open(".", os.O_RDONLY)
for number in range(60):
    ask(f"theirs-{number}/x"), os.write(gone, b"x"), os.read(done, 1), ask(f"theirs-{number}/x")
    os.mkdir(f"own-{number}"), os.mkdir(f"own-{number}/a"), os.mkdir(f"own-{number}/a/b", 0o700)
    os.makedirs(f"own-{number}/a/b/c", exist_ok=True), os.makedirs(f"own-{number}/a", exist_ok=True)
    os.mkdir(f"at-{number}", dir_fd=folder), ask(f"at-{number}/x"), os.mkdir(f"at-{number}/x")
    os.symlink(f"own-{number}/a", "way"), os.mkdir("way/d"), os.unlink("way")
    os.open(f"at-{number}/x/new", os.O_CREAT), os.rmdir(f"own-{number}/a/d")
    os.rename(f"own-{number}", f"moved-{number}")
"""


@pytest.mark.parametrize(
    "argv",
    [
        ("/bin/sh", "-c", SHELL),
        ("/usr/bin/python3", "-c", PYTHON),
        ("/usr/bin/python3", "-c", NAMES),
        ("/usr/bin/python3", "-c", MISSING),
        ("/usr/bin/python3", "-c", FOLDERS),
        ("/usr/bin/python3", "-c", MADE),
    ],
    ids=["sh", "python3", "names", "missing", "folders", "made"],
)
def test_sessions_are_equal_with_and_without_stops(argv: tuple[str, ...], stage: Stage) -> None:
    assert_equal_sessions(stage, list(argv))


@pytest.mark.parametrize(
    "name",
    [
        "opens",
        "relative",
        "paths",
        "roots",
        "renamed",
        "dups",
        "close_range",
        "execs",
        "console",
        "vectors",
        "big_write",
        "aio",
        "children",
        "cloexec_after_fork",
        "counted",
        "inherited",
        "int80",
        "mapped",
        "messages",
        "names",
        "no_buffers",
        "odd_names",
        "page_edge",
        "passed_fd",
        "plain",
        "positions",
        "refused",
        "retried",
        "sendfile",
        "short_address",
        "short_files",
        "sockets",
        "threads_in_turn",
        "tmpfile",
        "turns",
        "uring_files",
        "uring_sockets",
        "uring_tables",
        "uring_later",
    ],
)
def test_sessions_of_a_tracee_are_equal(name: str, stage: Stage, compile_tracee: Compile) -> None:
    assert_equal_sessions(stage, [compile_tracee(name, "-pthread")])


@pytest.mark.parametrize("way", [(), ("apart",)])
def test_sessions_of_connections_are_equal(
    way: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    assert_equal_sessions(stage, [compile_tracee("talk", "-pthread"), "100", *way])


def test_sessions_of_short_connections_are_equal(stage: Stage, compile_tracee: Compile) -> None:
    rounds = 42
    program = compile_tracee("short_connections", "-pthread")

    recording = assert_equal_sessions(stage, [program, str(rounds)])

    closed_unasked, given_up = len(range(4, rounds, 5)), 1
    errors = [event.data["error"] for event in recording.of("net.error")]
    assert errors.count("EINPROGRESS") == closed_unasked + given_up


def test_sockets_are_made_connected_and_closed_without_a_stop(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    program = compile_tracee("short_connections", "-pthread")

    records, output = engine_run([program, "420"], folder, gate_at=1)

    assert output == b"all right\n"
    made = ways_of(records)
    known_in_gate = ("accept", "accept4", "connect", "getsockopt", "socket", "shutdown", "close")
    assert len(calls(records, *known_in_gate)) > 4 * 6 * 420
    others = made[Way.ASKED] + made[Way.OTHER] + made[Way.FD] + made[Way.SITE] + made[Way.EARLY]
    assert others < made[Way.GATED] / 5


def test_messages_are_sent_and_received_without_a_stop(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()

    records, output = engine_run([compile_tracee("messages"), "200"], folder, gate_at=1)

    assert output == b"all right\n"
    made = ways_of(records)
    without_a_stop = 4 * 2 + 2 * 4
    assert made[Way.GATED] > 200 * without_a_stop
    asked_or_traced = 2 + 3  # of a datagram in too many buffers, of a passed fd at each fifth time
    assert sum(made.values()) - made[Way.GATED] < 200 * asked_or_traced


# -- signals ---------------------------------------------------------------------------------------

KILLED = 300 if TORTURE else 25
SAMPLES = 3
"""How many processes are late depends on what else the machine does; a fault shows each time."""


@one_user("when a process ends does not depend on rights")
@pytest.mark.parametrize("failures", ["rare", "none"])
def test_a_signal_that_ends_the_process_comes_before_the_calls_of_its_threads(
    failures: str, stage: Stage, compile_tracee: Compile
) -> None:
    program = compile_tracee("fatal_gated", "-pthread")

    def late(gate: str) -> tuple[int, int]:
        stage.environ = {"SCOPE_GATE": gate, "SCOPE_FAILURES": failures}
        stage.prepare()
        recording = stage.record([program, str(KILLED)], timeout=300)
        assert recording.ending.status == 0
        own, foreign = map(int, recording.ending.stdout.split())
        return own, foreign

    few, found = KILLED // 12, []
    for _ in range(SAMPLES):
        (own, foreign), (gated_own, gated_foreign) = late("off"), late("eager")
        if gated_own <= own + few and gated_foreign <= foreign + 4 * few:
            return
        found.append((own, foreign, gated_own, gated_foreign))
    pytest.fail(f"more calls came after the signal with gate than without: {found}")


@one_user("who takes in orphans does not depend on rights")
@pytest.mark.parametrize("failures", ["none", "rare"])
@pytest.mark.parametrize("gate", ["off", "eager"])
def test_a_child_starts_though_its_parent_was_killed_while_it_was_made(
    gate: str, failures: str, stage: Stage, compile_tracee: Compile
) -> None:
    stage.environ = {"SCOPE_GATE": gate, "SCOPE_FAILURES": failures}

    recording = stage.record([compile_tracee("orphans", "-pthread")], timeout=120)

    assert recording.ending.status == 0


@one_user("who kills a child does not depend on rights")
@pytest.mark.parametrize("gate", ["off", "eager"])
def test_a_child_that_is_killed_before_it_is_known_who_made_it_has_an_end(
    gate: str, stage: Stage, compile_tracee: Compile
) -> None:
    stage.environ = {"SCOPE_GATE": gate}

    recording = stage.record([compile_tracee("killed_early")], timeout=120)

    assert recording.ending.status == 0
    ends = [event.data.get("signal") for event in recording.of("proc.exit")]
    assert len(ends) == len(recording.of("proc.fork")) + 1
    assert ends.count("SIGKILL") == len(ends) - 1


CROWD = """
many() { i=0; while [ $i -lt 40 ]; do "$@" || echo "$* failed"; i=$((i+1)); done; }
many /bin/true & many env true & many sh -c 'true | cat' &
many "$1" -S -E -c 'import subprocess; subprocess.run(["true"], check=True)' & wait
"""
"""Programs of several files, with slots at one address, make children and end side by side."""


@one_user("who made a child does not depend on rights")
def test_a_child_of_one_program_is_not_taken_for_one_of_another_that_ends_meanwhile(
    stage: Stage,
) -> None:
    stage.environ = GATED

    recording = stage.record(["sh", "-c", CROWD, "sh", python()], timeout=120)

    assert recording.ending == Ending(b"", b"", 0)
    assert len(recording.of("proc.exit")) == len(recording.of("proc.fork")) + 1


# -- programs that mean harm ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.timeout(120)
def test_the_recorder_survives_what_programs_write_into_the_shared_memory(
    seed: int, stage: Stage, compile_tracee: Compile
) -> None:
    stage.environ = GATED
    stage.prepare()

    recording = stage.record([compile_tracee("scribbler"), str(seed), "12"], timeout=100)

    assert recording.ending.status == 0
    assert len(recording.of("proc.start")) == 13
    assert len(recording.of("proc.exit")) == 13


TAKEN, ROOM, GS = "taken away", "no room", "base of gs, which"
HOSTILE = {
    "unmap-code": TAKEN,
    "unmap-arena": TAKEN,
    "hide-code": TAKEN,
    "hide-arena": TAKEN,
    "freeze-arena": TAKEN,
    "empty-arena": "wrote into memory",
    "map-over": ROOM,
    "map-around": ROOM,
    "move-over": ROOM,
    "use-gs": GS,
    "lose-gs": GS,
    "forbid-clock": TAKEN,
    "dispatch": "where they are made",
    "lock": None,
    "rewrite": None,
    "replace": None,
}
"""Mode of hostile.c → a part of the notice that it causes."""


@one_user("what a program does to its own memory needs no rights")
@pytest.mark.parametrize("mode", HOSTILE)
def test_a_program_that_takes_away_what_the_gate_needs_runs_as_natively(
    mode: str, stage: Stage, compile_tracee: Compile
) -> None:
    stage.environ = GATED
    stage.prepare()

    recording = stage.record([compile_tracee("hostile", "-ldl"), mode])

    assert recording.ending == Ending(f"{mode} right\n".encode(), b"", 0)
    notices = [event.data["message"] for event in recording.of("notice")]
    assert [HOSTILE[mode] in notice for notice in notices] == [True] * bool(HOSTILE[mode])
    opened = recording.of("fs.open", file="/etc/passwd")
    assert len(opened) == len(recording.of("fs.close", file="/etc/passwd")) >= 120


@one_user("what a program does to its own memory needs no rights")
def test_the_recorder_survives_jumps_into_the_code(stage: Stage, compile_tracee: Compile) -> None:
    stage.environ = GATED
    stage.prepare()

    recording = stage.record([compile_tracee("hostile", "-ldl"), "jump"])

    assert recording.ending.stdout == b"jump right\n"
    assert len(recording.of("proc.exit")) == 41


@one_user("what a program does to its own memory needs no rights")
@pytest.mark.parametrize("flags", [(), ("-static-pie",)], ids=["dynamic", "static-pie"])
@pytest.mark.parametrize("mode", ["made", "shared", "copied", "moved", "reloaded"])
def test_code_that_a_program_makes_copies_moves_or_loads_runs_as_natively(
    mode: str, flags: tuple[str, ...], stage: Stage, compile_tracee: Compile
) -> None:
    libraries = [
        compile_tracee("library_read", "-shared", "-fPIC", *other) for other in ((), ("-DOTHER",))
    ]
    command = [compile_tracee("generated_code", *flags), mode, *libraries]
    native = stage.run(command)
    stage.environ = GATED
    stage.prepare()

    recording = stage.record(command)

    assert (recording.ending, native.status) == (native, 0)
    read = [close.data["file_read_ops"] for close in recording.of("fs.close", file=str(command[0]))]
    assert read == [int(native.stdout.split()[0])]


def test_a_library_that_is_loaded_again_makes_its_calls_without_a_stop_again(
    compile_tracee: Compile, tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    library = compile_tracee("library_read", "-shared", "-fPIC")
    program = compile_tracee("generated_code")

    records, output = engine_run([program, "reloaded", library, library], folder, gate_at=1)

    times = 100
    assert int(output.split()[0]) == times * 5
    made = ways_of(records)
    assert made[Way.GATED] > times * 4
    assert made[Way.SITE] < times * 2


@pytest.mark.parametrize("kib", [10_000, 12_000, 100_000])
def test_a_program_whose_memory_has_no_room_is_traced_and_a_notice_says_so(
    kib: int, stage: Stage
) -> None:
    stage.environ = GATED
    stage.prepare()
    command = f"ulimit -v {kib}; exec cat /etc/passwd"

    recording = stage.record(["/bin/sh", "-c", command])

    assert recording.ending.status == 0
    assert recording.files() >= {"/etc/passwd"}
    notices = [event.data["message"] for event in recording.of("notice")]
    assert ["stops at each recorded call" in notice for notice in notices] == [True]


@without_rights
def test_of_a_program_that_is_not_dumpable_the_notice_names_that(
    stage: Stage, compile_tracee: Compile
) -> None:
    stage.environ = {"SCOPE_GATE": "auto"}  # the first calls of a program stop

    recording = stage.compare([compile_tracee("undumpable", "-static"), "at-once"])

    (notice,) = recording.of("notice")
    assert notice.data["reason"] == "ungated"
    assert "made itself not dumpable" in notice.data["message"]
