from __future__ import annotations

import json
import shlex

import pytest

from scopetrace.cli import main
from scopetrace.dash import network
from scopetrace.dash.network import NetworkView
from scopetrace.dash.place import Place, Scope
from scopetrace.dash.rows import Want
from scopetrace.query import open_session
from support.session_builder import event, image, record

PLACE = Place("network")


def flow(channel: int, sent: int, process: int = 1):
    """Return the events of one connection to port 80 of 10.0.0.`channel`."""
    ends = {
        "net_transport": "IP.TCP",
        "net_peer_ip": f"10.0.0.{channel}",
        "net_peer_port": 80,
    }
    sums = {"net_bytes_sent": sent, "net_bytes_recv": 9 - channel}
    return [
        event("net.open", channel, process, channel, **ends),
        event("net.close", channel + 0.5, process, channel, **ends, **sums),
    ]


@pytest.fixture
def path(home):
    """Three flows, the second of another process, and a socketpair."""
    pair = {"net_transport": "Unix.TCP", "unix_peer_inode": 5, "unix_local_inode": 6}
    events = [*flow(1, 100), *flow(2, 300, 2), *flow(3, 200)]
    events.append(event("net.open", 4, 1, 4, **pair))
    return record(home, events, [image(2, pid=80, proc="sh")])


def last_part(path, place=PLACE):
    with open_session(path) as session:
        *_, part = NetworkView().read(session, place, Want())
    return part


def peers(path, place=PLACE):
    return [row.cells[-1] for row in last_part(path, place).rows]


def test_a_row_leads_to_the_events_of_its_flow(path):
    part = last_part(path)

    assert [row.cells[-1] for row in part.rows] == ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]
    assert part.rows[1].cells[1:5] == ("300 B", "7 B", "-", "sh[80]")
    assert part.rows[1].opens == Place("events", Scope(channel=2, peer="10.0.0.2:80"))
    assert part.note == "1 start-up flow hidden: a shows it"


@pytest.mark.parametrize(
    ("place", "hosts"),
    [
        (Place("network", Scope(80), show_all=True), [2]),
        (Place("network", sort="net_bytes_sent"), [2, 3, 1]),
        (Place("network", sort="net_bytes_recv"), [1, 2, 3]),
        (Place("network", reverse=True), [3, 2, 1]),
        (Place("network", match="0.3"), [3]),
    ],
)
def test_flows_can_be_narrowed_sorted_and_filtered(path, place, hosts):
    assert peers(path, place) == [f"10.0.0.{host}:80" for host in hosts]


@pytest.mark.parametrize(
    "place",
    [
        PLACE._replace(show_all=True),
        Place("network", Scope(80), show_all=True),
        Place("network", sort="net_bytes_sent", show_all=True),
    ],
)
def test_the_command_gives_the_same(path, place, capsys):
    line = NetworkView().command(place, str(path))
    assert main([*shlex.split(line)[1:], "-j"]) == 0

    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    with open_session(path) as session:
        bodies = list(NetworkView().bodies(session, place))
    assert json.loads(json.dumps(bodies)) == printed


def test_the_flows_used_last_are_shown_if_there_are_too_many(path, monkeypatch):
    monkeypatch.setattr(network, "MOST_FLOWS", 2)
    part = last_part(path, Place("network", show_all=True, sort="net_bytes_sent"))

    assert len(part.rows) == 2
    assert part.note == "only the last 2 flows"
