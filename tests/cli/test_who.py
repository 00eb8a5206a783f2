"""`scopetrace who`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def session(recorder):
    """A session of two events of one file."""
    recorder.record(
        recorder.event("fs.open", at=0.25, file="/home/ann/in.txt", flags="O_RDONLY", op="openat"),
        recorder.event("fs.delete", at=0.5, file="/home/ann/in.txt", op="unlinkat"),
        cwd="/home/ann",
    )


@pytest.mark.usefixtures("session")
class TestWho:
    def test_a_table(self, scopetrace):
        assert scopetrace("who", "in.txt") == (
            0,
            "/home/ann/in.txt\n"
            " TIME  ACTION  WHAT      BY\n"
            "0.250  open    O_RDONLY  python3[70]\n"
            "0.500  delete            python3[70]\n",
            "",
        )

    def test_json_csv_and_markdown(self, scopetrace):
        status, out, err = scopetrace("who", "in.txt", "-j")
        assert (status, err) == (0, "")
        assert json.loads(out.splitlines()[1]) == {
            "id": 2,
            "_time": 1783822275.5,
            "action": "delete",
            "pid": 70,
            "proc": "python3",
            "cmd": "python3 log.py",
            "chain": ["python3[70]"],
            "op": "unlinkat",
            "file": "/home/ann/in.txt",
        }
        assert scopetrace("who", "in.txt", "--format", "json")[1] == out
        csv = scopetrace("who", "in.txt", "--format", "csv")[1].splitlines()
        assert csv[0].startswith("id,_time,action,pid,proc,cmd,chain,op,file,")
        assert csv[2].startswith("2,1783822275.5,delete,70,python3,python3 log.py,python3[70],")
        markdown = scopetrace("who", "in.txt", "--format", "md")[1].splitlines()
        assert markdown[3].startswith("| 2 | 1783822275.5 | delete |")

    @pytest.mark.parametrize(
        ("args", "status", "sentence"),
        [
            (["im.txt"], 1, "session 1 has nothing about im.txt; did you mean /home/ann/in.txt?"),
            (["9"], 1, "session 1 has no process 9; the nearest are 70"),
            (["in.txt", "-i", "4"], 1, "no session 4; "),
            ([], 2, "missing argument 'PATH|HOST:PORT|PID'"),
            (["in.txt", "-j", "--format", "csv"], 2, "--json and --format csv do not go together"),
        ],
    )
    def test_what_cannot_be_answered_is_one_sentence(self, scopetrace, args, status, sentence):
        got, out, err = scopetrace("who", *args)

        assert (got, out) == (status, "")
        assert err.startswith(f"scopetrace: {sentence}")
        assert len(err.splitlines()) == 1
