"""The plugin of pytest: the fixture `scoped` records what programs do in a test.

    def test_it_writes_only_where_it_may(scoped, tmp_path):
        result = scoped.run(["./configure", f"--prefix={tmp_path}"])
        assert result.exit_code == 0
        assert not scoped.files(written=True, outside=tmp_path)
        assert scoped.talked_to == []

pytest loads this module in each of its runs, so it imports nothing of scopetrace before a test asks
for the fixture. Each test has sessions of its own, in a folder of pytest's. The report of a test
that fails says why programs ended badly, and has the summaries.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scopetrace.scoped import Scoped

FIXTURE = "scoped"


@pytest.fixture
def scoped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoped]:
    """Run programs recorded, and answer what they did: `run`, `subprocesses`, `files`…"""
    from scopetrace.scoped import Scoped

    scoped = Scoped(tmp_path_factory.mktemp("scopetrace"))
    yield scoped
    scoped.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the summaries of its sessions to the report of a test that failed."""
    report = yield
    used = getattr(item, "funcargs", {}).get(FIXTURE)
    if used is not None and report.when == "call" and report.failed:
        report.sections += used.sections()
    return report
