"""python3 runs examples/log.py: the first thing anybody does with scopetrace."""

from __future__ import annotations

import shutil
from pathlib import Path

from scopetrace.query import open_session
from support.harness import Recording, Stage
from support.users import one_user

pytestmark = one_user("Python needs no rights")

EXAMPLES = Path(__file__).parents[2] / "examples"
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else "python3"


def recorded(stage: Stage) -> Recording:
    script = stage.folder / "log.py"
    shutil.copy(EXAMPLES / "log.py", script)
    return stage.compare([PYTHON, script])


def test_both_files_are_closed_with_their_bytes(stage: Stage) -> None:
    recording = recorded(stage)

    for name in ("wontsee.txt", "willsee.log"):
        (closed,) = recording.of("fs.close", file=str(stage.work / name))
        assert closed.data["file_write_bytes"] == 20
        assert closed.data["file_write_ops"] == 1
    assert str(stage.folder / "log.py") in recording.files("fs.close")


def test_exactly_one_line_is_of_a_log(stage: Stage) -> None:
    (event,) = recorded(stage).of("file")

    assert event.source == str(stage.work / "willsee.log")
    assert event.data == {"message": "will see this string"}


def test_python_itself_is_seen_to_start_and_to_look_for_what_is_not_there(stage: Stage) -> None:
    recording = recorded(stage)

    (start,) = recording.of("proc.start")
    assert start.data["args"] == [PYTHON, str(stage.folder / "log.py")]
    assert start.data["cwd"] == str(stage.work)
    assert any("pyvenv.cfg" in file for file in recording.files("fs.error"))
    assert any(file.endswith("libc.so.6") for file in recording.files("fs.open"))


def test_threads_and_children_of_python_are_seen(stage: Stage) -> None:
    script = """
import subprocess, threading
def visit(name):
    open(name, "w").close()
threads = [threading.Thread(target=visit, args=(f"thread-{n}",)) for n in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(subprocess.run(["sh", "-c", "echo from a child; : > child"], capture_output=True).stdout)
"""
    recording = stage.compare([PYTHON, "-c", script])

    made = {Path(file).name for file in recording.files() if file.startswith(f"{stage.work}/")}
    assert made == {f"thread-{n}" for n in range(8)} | {"child"}


def test_cpu_time_of_a_child_is_not_its_parents_as_well(stage: Stage) -> None:
    burn = "from time import *\nend = process_time() + 0.2\nwhile process_time() < end: pass"
    script = f"{burn}\nimport subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    recording = stage.record([PYTHON, "-c", script])

    with open_session(recording.info.path) as session:
        reported = [metric.value for metric in session.metrics("proc.cpu")]
    last = recording.of("proc.exit")[-1].data
    with_child = last["cpu_user"] + last["cpu_system"]
    assert len(reported) == 2 and min(reported) >= 200_000
    assert abs(sum(reported) - with_child) < with_child / 20
