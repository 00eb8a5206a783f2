from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.cli.prune import Candidate, choose

SECOND = 1_000_000_000
DAY = 86400 * SECOND


@pytest.fixture
def sessions(recorder):
    """Sessions 1 to 4, each a day younger than the one before; 5 is being recorded."""
    now = time.time_ns()
    for age in (9, 8, 7, 6):
        recorder.record(started_ns=now - age * DAY - SECOND, ended_ns=now - age * DAY)
    return recorder.start(started_ns=now - 30 * DAY)


@pytest.fixture
def left(home):
    """The numbers of the sessions that are there."""

    def numbers():
        return sorted(int(p.name.partition("-")[0]) for p in (home / "sessions").glob("*.db"))

    return numbers


@pytest.mark.parametrize(
    ("args", "kept"),
    [
        (["--keep", "1"], [4, 5]),
        (["--keep", "9"], [1, 2, 3, 4, 5]),
        (["--older", "8d"], [3, 4, 5]),
        (["--older", "1h", "--keep", "2"], [3, 4, 5]),
        (["--larger", "1"], [5]),
        (["--larger", "1G"], [1, 2, 3, 4, 5]),
        (["--total", "0"], [5]),
        (["--total", "1G"], [1, 2, 3, 4, 5]),
        (["--all"], [5]),
    ],
)
def test_prune_deletes_what_the_conditions_say_and_never_what_runs(
    args, kept, sessions, left, scopetrace
):
    status, out, err = scopetrace("prune", "--force", *args)

    assert (status, err) == (0, "")
    assert left() == kept
    gone = 5 - len(kept)
    assert out.startswith(f"Deleted {gone} session" if gone else "Nothing to delete.")


def test_nothing_is_left_beside_a_deleted_file(sessions, recorder, home, scopetrace):
    killed = recorder.start("killed", recorder_pid=2**22 + 1)
    assert Path(f"{killed.path}-wal").exists()

    scopetrace("prune", "-a", "-f")

    names = {path.name for path in (home / "sessions").iterdir() if not path.name.startswith(".")}
    assert {name.partition("-")[0] for name in names} == {"5"}


def test_without_a_terminal_it_lists_and_refuses(sessions, left):
    done = subprocess.run(
        (sys.executable, "-m", "scopetrace", "prune", "--keep", "2"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 2
    assert done.stdout.splitlines()[0].split() == ["ID", "COMMAND", "AGE", "SIZE", "FILE"]
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["1", "2"]
    assert done.stderr == (
        "scopetrace: prune asks for confirmation, and there is no terminal: use --force\n"
    )
    assert left() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("answer", "kept"), [("y", [3, 4, 5]), ("n", [1, 2, 3, 4, 5])])
def test_on_a_terminal_it_asks(answer, kept, sessions, left):
    environ = {**os.environ, "COLUMNS": "200"}
    with pexpect.spawn(
        sys.executable, ["-m", "scopetrace", "prune", "--older", "8d"], env=environ, timeout=30
    ) as child:
        child.expect_exact("Delete 2 sessions, ")
        child.sendline(answer)
        child.expect(pexpect.EOF)

    assert left() == kept


kept_sessions = st.lists(
    st.builds(Candidate, st.none(), st.integers(0, 100), st.integers(0, 100)), max_size=12
)
limits = st.none() | st.integers(0, 100)


@given(
    kept_sessions, st.none() | st.integers(0, 12), limits, limits, st.none() | st.integers(0, 500)
)
def test_what_is_chosen_keeps_every_promise(found, keep, older, larger, total):
    chosen = choose(found, keep, older, larger, total)

    left = [session for session in found if not any(session is gone for gone in chosen)]
    protected = found[max(len(found) - (keep or 0), 0) :]
    assert not any(session is gone for session in protected for gone in chosen)
    for session in left:
        if not any(session is one for one in protected):
            assert older is None or session.age_ns <= older
            assert larger is None or session.size_bytes <= larger
    if total is not None and sum(session.size_bytes for session in left) > total:
        assert all(any(session is one for one in protected) for session in left)
