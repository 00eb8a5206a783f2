"""node as server and client at once: each exchange is seen twice, from either end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from scopetrace.model.event import EventRecord
from support.harness import Stage
from support.net_events import (
    assert_ends_agree,
    both_sides,
    by_port,
    by_stream,
    notices,
    told_by_both_sides,
)
from support.net_peers import PEERS, compare, without_numbers
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]
MOST = 1 << 20
"""node writes more at once than is copied unless asked for."""


def lines(output: bytes) -> list[bytes]:
    return sorted(without_numbers(output).splitlines())


def test_the_first_version(stage: Stage, needs: Needs) -> None:
    stage.environ["SCOPE_FLOW_SNAPLEN"] = str(MOST)
    recording = compare(stage, [needs("node"), PEERS / "web.js"], same=lines)

    assert recording.ending.status == 0
    assert len(told_by_both_sides(recording)) == 54
    assert both_sides(recording, by_port) == told_by_both_sides(recording)
    assert len(recording.of("http.req")) == 54
    assert notices(recording) == []
    assert_ends_agree(recording)


def test_the_second_version(stage: Stage, needs: Needs) -> None:
    stage.environ["SCOPE_FLOW_SNAPLEN"] = str(MOST)
    recording = compare(stage, [needs("node"), PEERS / "web2.js"], same=lines)

    assert recording.ending.status == 0
    assert len(told_by_both_sides(recording)) == 46
    assert both_sides(recording, by_stream) == told_by_both_sides(recording)
    assert len(recording.of("http.req")) == 46
    assert notices(recording) == []
    assert_ends_agree(recording)
    grpc = [event.data for event in recording.of("http.resp") if "http_grpc_method" in event.data]
    names = ("http_grpc_method", "grpc_status", "grpc_message")
    assert [tuple(map(each.get, names)) for each in grpc] == [
        ("/a.Service/Find", 5, "no such thing")
    ] * 2


@pytest.mark.parametrize(("program", "identify"), [("web.js", by_port), ("web2.js", by_stream)])
def test_where_bytes_were_cut_off_nothing_is_made_up(
    program: str, identify: Callable[[EventRecord, str], int], stage: Stage, needs: Needs
) -> None:
    """node writes more at once than is copied: what that hides is reported of by a notice."""
    stage.environ["SCOPE_FLOW_SNAPLEN"] = "2000"
    recording = compare(stage, [needs("node"), PEERS / program], same=lines)

    seen = Counter({each[:-1]: count for each, count in both_sides(recording, identify).items()})
    said = Counter({each[:-1]: count for each, count in told_by_both_sides(recording).items()})
    assert seen <= said
    assert notices(recording)
    assert_ends_agree(recording)
