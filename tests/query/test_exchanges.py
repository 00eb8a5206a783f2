"""Requests joined to their responses, and to what the payload has of both."""

from __future__ import annotations

import pytest

from scopetrace.query import open_session
from scopetrace.query.exchanges import MOST_REPLAYS
from support.flow_builder import ENDS, channel, opened, piece, record_flows
from support.session_builder import STARTED_NS, event

REQUEST = {"http_method": "GET", "http_target": "/a?b=1", "http_scheme": "http"}
NAMED = {**REQUEST, "http_host": "box:80"}
TIMES = {"http_client_duration": 2, "http_duration_us": 2500}


def request(of=0.0, at=0.1, **data):
    return event("http.req", at=at, channel=channel(of), **{**NAMED, **ENDS, **data})


def response(of=0.0, at=0.2, status=200, **data):
    fields = {**NAMED, **ENDS, **TIMES, "http_status_code": status, **data}
    return event("http.resp", at=at, channel=channel(of), **fields)


def exchanges(home, events, payload=(), most_body_bytes=100):
    with open_session(record_flows(home, events, payload)) as session:
        return list(session.exchanges(most_body_bytes))


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def test_a_response_belongs_to_the_request_that_has_waited_longest_in_its_flow(home):
    found = exchanges(
        home,
        [
            request(http_target="/1"),
            request(of=5, http_target="/other"),
            request(http_target="/2"),
            response(http_target="/1"),
            response(http_target="/2", status=404),
        ],
    )

    assert [(one.id, one.fact("http_target"), one.status) for one in found] == [
        (1, "/1", 200),
        (3, "/2", 404),
        (2, "/other", None),
    ]
    assert found[0].side == "client"
    assert found[0].duration_us == 2500
    assert found[0].started_ns == STARTED_NS + 100_000_000


def test_streams_of_http2_are_apart(home):
    found = exchanges(
        home,
        [
            request(http_stream=1, http_target="/1"),
            request(http_stream=3, http_target="/3"),
            response(http_stream=3, http_target="/3"),
            response(http_stream=1, http_target="/1"),
        ],
    )

    assert [(one.request["http_target"], one.response["http_target"]) for one in found] == [
        ("/3", "/3"),
        ("/1", "/1"),
    ]


def test_a_response_to_no_request_is_an_exchange_of_its_own(home):
    fields = {**ENDS, "http_status_code": 408}
    found = exchanges(home, [event("http.resp", at=0.2, channel=channel(0), **fields)])

    assert [(one.request, one.status, one.duration_us) for one in found] == [(None, 408, None)]


@pytest.mark.parametrize(
    ("data", "url"),
    [
        ({}, "http://box:80/a?b=1"),
        ({"http_host": ""}, "http://93.184.216.34:80/a?b=1"),
        ({"http_host": "", "net_peer_ip": "::1"}, "http://[::1]:80/a?b=1"),
        ({"http_target": "http://far/x"}, "http://far/x"),
        ({"http_method": "CONNECT", "http_target": "far:443"}, "far:443"),
    ],
)
def test_the_url_is_what_was_asked_for(home, data, url):
    (found,) = exchanges(home, [request(**data)])

    assert found.url == url


GET = b"GET /a?b=1 HTTP/1.1\r\nHost: box:80\r\nCookie: a=b\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Y: z\r\n\r\nhello"


def test_the_payload_has_header_fields_and_bodies(home):
    events = [opened(), request(), response(), request(at=0.3), response(at=0.4)]
    payload = [
        piece(GET, at=0.1),
        piece(ANSWER[:9], outgoing=False, at=0.2),
        piece(ANSWER[9:], outgoing=False, at=0.2),
        piece(GET, at=0.3),
        piece(ANSWER.replace(b"hello", b"again"), outgoing=False, at=0.4),
    ]
    first, second = exchanges(home, events, payload)

    assert first.request_content.header("cookie") == "a=b"
    assert first.response_content.headers == (("Content-Length", "5"), ("X-Y", "z"))
    assert first.response_content.body == b"hello"
    assert second.response_content.body == b"again"


def test_a_message_that_says_something_else_than_the_event_is_not_used(home):
    events = [opened(), request(http_target="/other"), response(status=404)]
    payload = [piece(GET, at=0.1), piece(ANSWER, outgoing=False, at=0.2)]
    (found,) = exchanges(home, events, payload)

    assert found.request_content is None
    assert found.response_content is None


def test_payload_of_many_flows_is_read_one_by_one(home):
    flows = range(100)
    events = [opened(at) for at in flows]
    events += [request(of=at, at=200 + at, http_target="/a?b=1") for at in flows]
    payload = [piece(GET, of=at, at=at) for at in flows]
    found = exchanges(home, events, payload)

    assert len(found) == 100
    assert all(one.request_content is not None for one in found)


def test_of_a_flow_that_waited_for_too_many_others_no_more_payload_is_read(home):
    others = range(1, MOST_REPLAYS + 1)
    events = [request(of=0), *(request(of=at) for at in others), request(of=0)]
    payload = [piece(GET, of=at, at=at) for at in (0, *others)]
    found = exchanges(home, events, [*payload, piece(GET, of=0, at=999)])

    assert [one.id for one in found if one.request_content is None] == [len(events)]


def test_a_response_without_its_request_leaves_those_that_wait(home):
    fields = {**ENDS, "http_status_code": 408, **TIMES}
    found = exchanges(
        home, [request(), event("http.resp", at=0.2, channel=channel(0), **fields), response()]
    )

    assert [(one.id, one.status) for one in found] == [(2, 408), (1, 200)]
    assert found[0].started_ns == STARTED_NS + 200_000_000 - 2_500_000
