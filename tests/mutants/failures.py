"""A plugin of pytest that writes the names of tests that fail to the file $FAILURES.

Names of collected files that cannot be imported are written as well.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write down a test that failed, in whichever of its phases."""
    note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Write down a file that could not be collected."""
    note(report)


def note(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Append the name if this is a failure."""
    if report.failed and os.environ["FAILURES"]:
        with Path(os.environ["FAILURES"]).open("a") as names:
            names.write(f"{report.nodeid}\n")
