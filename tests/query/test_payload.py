from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from scopetrace.query import open_session
from support.flow_builder import channel, opened, piece, record_flows

PIECES = [
    piece(b"GET /", at=0.1),
    piece(b"\0\xff" * 40_000, outgoing=False, at=0.2),
    piece(b"", of=1, at=0.3, missing=4096),
    piece(b"200", outgoing=False, at=0.4, missing=2),
]


@pytest.fixture
def path(tmp_path):
    return record_flows(tmp_path, [opened(), opened(1)], PIECES)


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({}, [0, 1, 2, 3]),
        ({"channel": channel(0)}, [0, 1, 3]),
        ({"channel": channel(0), "outgoing": False}, [1, 3]),
        ({"outgoing": True}, [0, 2]),
        ({"channel": 5}, []),
    ],
)
def test_pieces_come_back_as_they_were_in_their_order(path, options, places):
    with open_session(path) as session:
        assert list(session.payload(**options)) == [PIECES[place] for place in places]


def test_more_pieces_than_are_read_at_a_time(tmp_path):
    pieces = [piece(b"%d" % number, of=number % 2) for number in range(100)]
    path = record_flows(tmp_path, [], pieces)

    with open_session(path) as session:
        assert list(session.payload()) == pieces
        assert list(session.payload(channel(1))) == pieces[1::2]
        assert sum(flow.sent.chunks for flow in session.flows()) == 100


def test_a_session_older_than_payload_has_none(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE payload")
        db.execute("PRAGMA user_version = 1")

    with open_session(path) as session:
        assert list(session.payload()) == []
        assert [flow.payload_chunks for flow in session.flows()] == [0, 0]
