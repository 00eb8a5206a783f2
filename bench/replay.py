"""Feed a recorded stream of raw records through the pipeline again, without a kernel.

    python bench/replay.py record make.raw make -j2   # trace a program, keep its raw records
    python bench/replay.py rate make.raw              # records in a second of CPU time
    python bench/replay.py rows make.raw              # the rows, to compare two versions
    python bench/replay.py profile make.raw           # where the time goes

A stream is a pickle of the batches that the engine returned. They are fed as they came, and
committed as often as the recorder would. The rows are the same at each replay: times come from the
records.
"""

from __future__ import annotations

import argparse
import cProfile
import pickle
import pstats
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tracing import raw_batches

from scopetrace import _engine
from scopetrace.config.load import load_config
from scopetrace.model.call import call_table
from scopetrace.model.raw import unpack_batch
from scopetrace.pipeline import Pipeline
from scopetrace.store.sessions import SessionStore
from scopetrace.watch import Watch

TABLES = ("process", "event", "metric", "payload")
COMMIT_NS = 100_000_000
"""Time between two commits, as in the recorder."""
PROFILE_LINES = 40


def count(batches: Sequence[bytes]) -> int:
    """Return how many records a stream has."""
    return sum(1 for batch in batches for _ in unpack_batch(batch))


def commits(batches: Sequence[bytes]) -> set[int]:
    """Return the positions of the batches after which the recorder would commit."""
    found, last_ns = set(), 0
    for number, batch in enumerate(batches):
        entered_ns = next(iter(unpack_batch(batch))).entered_ns
        if entered_ns - last_ns >= COMMIT_NS:
            found.add(number)
            last_ns = entered_ns
    return found


def feed(batches: Sequence[bytes], home: Path) -> tuple[float, Path]:
    """Feed a stream to a pipeline; return the seconds of CPU time, and the session file."""
    writer = SessionStore(home).create("replay", ["replay"])
    watch = Watch(load_config(None, {}))
    pipeline = Pipeline(
        call_table(_engine.calls()), watch, "replay", 0, writer, lambda serial: None
    )
    due = commits(batches)
    before = time.process_time()
    for number, batch in enumerate(batches):
        pipeline.feed(batch)
        if number in due:
            writer.commit()
    pipeline.finish(time.monotonic_ns())
    writer.commit()
    seconds = time.process_time() - before
    writer.finish()
    return seconds, writer.path


def rate(batches: Sequence[bytes], rounds: int) -> float:
    """Return how many records were committed in a second of CPU time, the median of `rounds`."""
    with tempfile.TemporaryDirectory(prefix="scopetrace-replay-") as folder:
        took = [feed(batches, Path(folder) / str(turn))[0] for turn in range(rounds)]
    return count(batches) / statistics.median(took)


def rows(batches: Sequence[bytes]) -> Iterator[str]:
    """Yield all rows of the session that a stream becomes, a line each."""
    with tempfile.TemporaryDirectory(prefix="scopetrace-replay-") as folder:
        _, path = feed(batches, Path(folder))
        with closing(sqlite3.connect(path)) as db:
            for table in TABLES:
                for row in db.execute(f"SELECT * FROM {table} ORDER BY rowid"):
                    yield f"{table} {row!r}"


def profile(batches: Sequence[bytes]) -> None:
    """Print where the time of a replay goes, by function."""
    with (
        tempfile.TemporaryDirectory(prefix="scopetrace-replay-") as folder,
        cProfile.Profile() as p,
    ):
        feed(batches, Path(folder))
    pstats.Stats(p).sort_stats("tottime").print_stats(PROFILE_LINES)


def main() -> None:
    """Do what the command line asks for."""
    options = arguments()
    if options.what == "record":
        options.stream.write_bytes(pickle.dumps([*raw_batches(options.argv)]))
        return
    batches = pickle.loads(options.stream.read_bytes())
    if options.what == "rate":
        a_second = rate(batches, options.rounds)
        print(f"{a_second:,.0f} records in a second of CPU time, of {count(batches):,}")
    elif options.what == "rows":
        sys.stdout.writelines(f"{row}\n" for row in rows(batches))
    else:
        profile(batches)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("record", "rate", "rows", "profile"))
    parser.add_argument("stream", type=Path)
    parser.add_argument("argv", nargs=argparse.REMAINDER, help="of the program to record")
    parser.add_argument("--rounds", type=int, default=5)
    return parser.parse_args()


if __name__ == "__main__":
    main()
