"""`scopetrace tree`."""

from __future__ import annotations

import json

from scopetrace.model.process import ProcessEnd

END_NS = 1_783_822_276_000_000_000


def test_the_tree_and_its_json_form(scopetrace, recorder):
    writer = recorder.start()
    args = ("sh", "-c", "exit 3")
    writer.add_process(
        recorder.process(id=2, pid=71, parent=1, proc="sh", args=args, cmd=" ".join(args))
    )
    writer.end_process(ProcessEnd(2, END_NS, 3, None, False))
    writer.end_process(ProcessEnd(1, END_NS, 0, None, False))
    writer.finish(ended_ns=END_NS, exit_code=0, status="finished")

    assert scopetrace("tree") == (
        0,
        "[70] python3 log.py  exit 0, 1.0 s\n└─ [71] sh -c 'exit 3'  exit 3, 1.0 s\n",
        "",
    )
    _, out, _ = scopetrace("tree", "--failed", "-j")
    (body,) = map(json.loads, out.splitlines())
    assert (body["pid"], body["exit_code"], body["depth"], body["duration_us"]) == (
        71,
        3,
        1,
        1_000_000,
    )
    assert scopetrace("tree", "--depth", "0")[1].count("\n") == 1
    assert scopetrace("tree", "-p", "71")[1] == "[71] sh -c 'exit 3'  exit 3, 1.0 s\n"
    assert scopetrace("tree", "-p", "71", "-p", "70")[1] == scopetrace("tree")[1]


def test_a_process_whose_end_is_not_recorded_runs_only_while_it_is_recorded(scopetrace, recorder):
    writer = recorder.start()
    assert scopetrace("tree", "1")[1] == "[70] python3 log.py  running\n"
    writer.finish("stopped")
    assert scopetrace("tree", "1")[1] == "[70] python3 log.py  end not recorded\n"


def test_a_tree_without_a_process_says_so(scopetrace, recorder):
    recorder.record()

    assert scopetrace("tree", "--failed") == (
        0,
        "",
        "scopetrace: session 1 has no process that failed\n",
    )
    assert scopetrace("tree", "-p", "3")[2] == "scopetrace: session 1 has no process that matches\n"
