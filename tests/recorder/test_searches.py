"""A regular expression that would take hours is given up, and nothing else suffers."""

from __future__ import annotations

from support.harness import Stage
from support.interpreter import python
from support.users import one_user

HOURS = "a" * 60 + "b"
"""What (a+)+$ goes back and forth in, 2⁶⁰ times."""
PROGRAM = f"""
import os, socket
near, far = socket.socketpair()
for number in range(3):
    with open(f"{{number}}.log", "w") as log:
        log.write("{HOURS}")
    near.send(b"{HOURS}")
    far.recv(100)
    os.close(os.open(f"{{number}}.txt", os.O_CREAT | os.O_WRONLY))
print("done", flush=True)
"""
CONFIG = """
protocol:
  - {name: Slow, regex: '(a+)+$'}
  - {name: Quick, regex: '^a+b'}
event:
  watch:
    - {type: console}
    - {type: fs}
    - {type: net}
    - {type: file, name: log$, value: '(a+)+c'}
"""


@one_user("searching text needs no rights")
def test_what_takes_too_long_is_given_up_and_all_else_recorded(stage: Stage) -> None:
    recording = stage.compare([python(), "-c", PROGRAM], config=CONFIG)

    assert recording.messages("stdout") == "done\n"
    names = [str(stage.work / f"{number}.{end}") for number in range(3) for end in ("log", "txt")]
    assert recording.files("fs.open") >= set(names)
    assert recording.files("fs.close") >= set(names)
    assert recording.of("file") == []
    assert "Quick" in [event.data["protocol"] for event in recording.of("net.app")]
    reported = {each.data["message"]: each.data["count"] for each in recording.of("notice")}
    given_up = "took too long to search for in one text, and was given up: from here on it is found"
    assert (
        reported[f"The regular expression (a+)+$ (regex of protocol Slow) {given_up} in nothing"]
        == 1
    )
    assert (
        reported[f"The regular expression (a+)+c (value of type file) {given_up} in nothing"] == 1
    )
    unsearched = "was not searched for in 2 texts after it was given up"
    assert reported[f"The regular expression (a+)+c (value of type file) {unsearched}"] == 2
