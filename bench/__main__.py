"""`make bench`: what recording costs, against running natively and against strace.

Every line is measured in turn, native, scopetrace, scopetrace with the gate, strace, native…, so
that a machine whose speed drifts drifts for all; the table shows medians. strace is asked for
exactly the calls that the stock configuration watches, with its own seccomp filter. Times are of
whole programs, start-up included, as a user waits for them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from all_calls import all_calls
from databases import databases
from figures import figures
from large_sessions import large_sessions
from many_sessions import many_sessions
from result_tables import print_comparison, print_figures
from serving import serving
from workloads import compare, workloads


def main() -> None:
    """Measure everything in a folder of its own and print six tables."""
    rounds = int(os.environ.get("ROUNDS", "7"))
    scopetrace = shutil.which("scopetrace", path=str(Path(sys.executable).parent))
    if scopetrace is None:
        sys.exit("bench: scopetrace is not installed beside this interpreter: use `make bench`")
    with tempfile.TemporaryDirectory(prefix="scopetrace-bench-") as folder:
        os.environ["SCOPETRACE_HOME"] = f"{folder}/sessions"
        os.chdir(folder)
        results = []
        wanted = os.environ.get("ONLY", "")
        made = workloads(Path(folder))
        for workload in (*made, *databases(Path(folder))):
            if wanted not in workload.name:
                continue
            print(f"measuring: {workload.name}", file=sys.stderr, flush=True)
            results.append(compare(workload, scopetrace, rounds))
        print_comparison(results, rounds)
        if wanted:
            print_figures(all_calls(scopetrace, made, rounds, wanted), "aim")
            return
        print_figures(serving(scopetrace, Path(folder), rounds), "cost")
        print_figures(figures(scopetrace, Path(folder), rounds), "aim")
        print_figures(all_calls(scopetrace, made, rounds), "aim")
        print_figures(large_sessions(scopetrace, Path(folder), rounds), "aim")
        print_figures(many_sessions(scopetrace, Path(folder), rounds), "aim")


main()
