"""Who started a process, up to the first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scopetrace.model.process import Process
from scopetrace.query.chains import Chains
from scopetrace.query.connect import connect
from support.session_builder import image, record

Labels = Callable[[int], list[str]]


@pytest.fixture
def labels(tmp_path: Path) -> Callable[..., Labels]:
    """Write a session with these images; the answer gives the chain of one as labels."""

    def write(*images: Process) -> Labels:
        db = connect(record(tmp_path, (), images))
        return lambda number: [doer.label for doer in Chains(db).of(number)]

    return write


def test_a_process_stands_there_once_as_the_program_that_forked(
    labels: Callable[..., Labels],
) -> None:
    of = labels(
        image(2, pid=70, proc="make", parent=1),  # python3 became make
        image(3, pid=71, proc="make", parent=2),  # which forked
        image(4, pid=71, proc="sh", parent=3),  # what became sh
        image(5, pid=72, proc="sh", parent=4),
        image(6, pid=71, proc="cc", parent=4),  # and then cc
        image(7, pid=72, proc="rm", parent=5),
    )

    assert of(7) == ["rm[72]", "sh[71]", "make[70]"]
    assert of(6) == ["cc[71]", "make[70]"]
    assert of(1) == ["python3[70]"]


def test_what_was_not_recorded_ends_a_chain(labels: Callable[..., Labels]) -> None:
    of = labels(image(3, pid=72, proc="a", parent=2), image(4, pid=73, proc="b", parent=4))

    assert of(3) == ["a[72]"]
    assert of(4) == ["b[73]"]
    assert of(9) == []
