"""Do foreign tests end as natively when they are recorded? Run suites in each way, and compare.

    make torture SUITE="git busybox" ONLY=t1 MODES="native gated"

A unit of a suite is run natively, under `scopetrace run --no-gate` and under `scopetrace run`. A
test whose verdict differs is a difference if it differs again when its unit is run
a second time in both ways, and its native verdicts are alike; else it is one that varies.
`varying.txt` lists tests whose verdicts are not compared, with the reason.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from suites.compare import run_suite  # noqa: E402
from suites.foreign import SUITES  # noqa: E402
from suites.unit import MODES  # noqa: E402


def main() -> int:
    """Report differences; return 1 if there is one that came again."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends what the unit has started
    folder = options.folder.resolve()
    failed = False
    for name in options.suites:
        units = [each for each in SUITES[name](folder) if options.only in each.name]
        if not units:
            raise SystemExit(f"{name}: nothing to run; see {HERE / 'README.md'}")
        failed |= any(each.again for each in run_suite(name, units, options.modes))
    return int(failed)


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="+", choices=SUITES)
    parser.add_argument("--folder", type=Path, default=Path("build/suites"), help="of sources")
    parser.add_argument("--only", default="", help="a part of the names of units")
    parser.add_argument(
        "--modes", default=["native", "traced", "gated"], type=str.split, help=" ".join(MODES)
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
