"""Names that are similar to an unknown one."""

from __future__ import annotations

from scopetrace.model.nearest import did_you_mean, nearest


def test_the_nearest_names_come_first() -> None:
    assert nearest("fs.opne", ("fs.open", "fs.close", "net.open")) == ["fs.open", "fs.close"]
    assert nearest("fs.opne", ("fs.open", "net.open"), 1) == ["fs.open"]


def test_the_end_of_a_sentence_proposes_them_or_is_empty() -> None:
    assert did_you_mean("pdi", ("pid", "tid")) == "; did you mean pid?"
    assert did_you_mean("zzz", ("pid", "tid")) == ""
