from __future__ import annotations

import pytest

from scopetrace.metrics.verbosity import APART_LEVELS, TAG_LEVELS, plans
from scopetrace.model.metric import METRICS, OF_EACH
from support.session_builder import SENT


def test_every_tag_of_every_metric_has_a_level():
    assert {tag for metric in METRICS.values() for tag in metric.tags} == TAG_LEVELS.keys()
    assert APART_LEVELS.keys() <= METRICS.keys()


@pytest.mark.parametrize("verbosity", range(10))
def test_each_level_keeps_what_the_one_below_it_keeps(verbosity):
    below = plans(max(verbosity - 1, 0))
    for name, plan in plans(verbosity).items():
        assert set(below[name].kept) <= set(plan.kept)
        assert below[name].apart <= plan.apart


@pytest.mark.parametrize(
    ("verbosity", "kept"),
    [
        (0, set()),
        (2, {"class"}),
        (3, {"class", "op"}),
        (4, {"class", "op"}),
        (5, {"class", "op", "file"}),
        (9, {"class", "op", "file"}),
    ],
)
def test_tags_of_an_error_appear_one_after_the_other(verbosity, kept):
    assert set(plans(verbosity)["fs.error"].kept) == kept


def test_numops_is_kept_from_8_on():
    assert not plans(7)["fs.read"].numops
    assert plans(8)["fs.read"].numops
    assert not plans(9)["fs.open"].numops
    assert "numops" not in plans(9)["fs.read"].kept


def test_summing_up_ends_metric_by_metric():
    apart = {level: {n for n, plan in plans(level).items() if plan.apart} for level in range(10)}

    assert apart[4] == set()
    assert apart[5] == {"fs.error", "net.error"}
    assert apart[6] - apart[5] == {"fs.open", "fs.close", "dns.req", "dns.duration"}
    assert apart[7] - apart[6] == {"net.open", "net.close", "net.duration"}
    assert apart[8] == apart[7]
    assert apart[9] - apart[8] == {"fs.read", "fs.write", "fs.duration", "net.rx", "net.tx"}


@pytest.mark.parametrize(
    ("verbosity", "names"), [(0, set()), (1, {"unit"}), (3, {"unit"}), (4, set(OF_EACH))]
)
def test_who_sent_a_value_is_said_from_verbosity_4_on(verbosity, names):
    assert SENT.known(verbosity).keys() == names
