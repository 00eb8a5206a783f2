from __future__ import annotations

from collections import Counter

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http import messages
from support.http_talk import (
    EVENTS,
    MS,
    NET,
    OPENED_NS,
    FlowReader,
    Talk,
    emitted,
    length_of,
    message_events,
    names,
    summary,
)

GET = b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CHUNKS = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
ROLES = ("client", "server", "")


def chunked(*chunks: bytes, trailer: bytes = b"") -> bytes:
    lines = [b"%x;x=y\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks]
    return b"".join(lines) + b"0\r\n" + trailer + b"\r\n"


def lengths(talk: Talk) -> list[int | None]:
    return [length_of(data) for _, data in message_events(talk)]


def test_a_request_and_its_response():
    request = (
        b"POST /a?b=c HTTP/1.1\r\nhost: h:80\r\nUser-Agent: curl/8\r\n"
        b"X-Forwarded-For: 1.2.3.4, ::1\r\nX-AppScope: here\r\nContent-Length: 3\r\n\r\nabc"
    )
    seen = emitted(Talk() >> request << b"HTTP/1.1 404 Not  Found\r\nContent-Length: 0\r\n\r\n")

    asked = {
        "http_method": "POST",
        "http_target": "/a?b=c",
        "http_scheme": "http",
        "http_host": "h:80",
        "http_user_agent": "curl/8",
    }
    request_event, response_event = seen.events
    assert request_event.data == {
        **asked,
        "http_flavor": "1.1",
        "http_client_ip": "1.2.3.4",
        "x-appscope": "here",
        "http_request_content_length": 3,
        **NET,
    }
    assert response_event.data == {
        **asked,
        "http_status_code": 404,
        "http_flavor": "1.1",
        "http_status_text": "Not  Found",
        "http_server_duration": 1,
        "http_duration_us": 1000,
        "http_response_content_length": 0,
        **NET,
    }
    assert [event.time_ns for event in seen.events] == [MS, 2 * MS]
    assert {event.channel for event in seen.events} == {OPENED_NS}
    assert seen.notices == []


@pytest.mark.parametrize("role", ROLES)
def test_either_side_sees_the_same(role):
    assert names(Talk(role) >> GET << OK) == ["GET /a?b", "200 GET /a?b"]


def test_durations_say_which_side_this_is():
    seen = emitted(Talk("client") >> GET[:9] >> GET[9:] << OK[:5] << OK[5:])

    data = seen.events[1].data
    assert (data["http_client_duration"], data["http_duration_us"]) == (1, 1000)
    assert "http_server_duration" not in data
    assert [event.time_ns for event in seen.events] == [MS, 3 * MS]


def test_many_requests_on_one_connection():
    talk = Talk()
    for target in (b"/1", b"/2", b"/3"):
        talk >> b"GET %b HTTP/1.1\r\n\r\n" % target << OK

    assert names(talk) == ["GET /1", "200 GET /1", "GET /2", "200 GET /2", "GET /3", "200 GET /3"]


def test_pipelined_requests_are_answered_in_order():
    asked = b"GET /1 HTTP/1.1\r\n\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\n"
    asked += b"POST /3 HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"
    answered = OK + b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + b"HTTP/1.0 500 \r\n\r\nrest"

    seen = Talk() >> asked << answered << None
    assert names(seen) == [
        "GET /1",
        "HEAD /2",
        "POST /3",
        "200 GET /1",
        "200 HEAD /2",
        "500 POST /3",
    ]
    assert lengths(seen) == [None, None, 1, 2, 9, 4]


def test_chunks_are_counted():
    asked = b"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 1\r\n\r\n"
    answered = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    body = chunked(b"abc", b"0\r\n\r\n", trailer=b"A: b\r\nC: d\r\n")

    assert lengths(Talk() >> asked + body + GET << answered + body + OK) == [8, None, 8, 2]


def test_a_body_that_ends_with_the_connection_is_counted():
    assert lengths(Talk() >> GET << b"HTTP/1.0 200 OK\r\n\r\n" << b"12345" << None) == [None, 5]
    assert lengths(Talk() >> GET << b"HTTP/1.0 200 OK\r\n\r\n123" << 7) == [None, 10]


def test_a_body_in_another_coding_ends_with_the_connection():
    answered = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\n"

    assert lengths(Talk() >> GET << answered + b"12345" << None) == [None, 5]


def test_a_message_that_declares_its_length_is_emitted_at_once():
    server = FlowReader("server")
    server.feed(False, b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
    server.feed(True, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")

    assert [event.source for event in server.emitted.events] == ["http.req", "http.resp"]


def test_interim_responses_are_not_the_response():
    asked = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

    assert names(Talk() >> asked << early >> b"ab" << OK >> GET << OK) == [
        "PUT /",
        "200 PUT /",
        "GET /a?b",
        "200 GET /a?b",
    ]


@pytest.mark.parametrize(
    ("asked", "head", "length"),
    [
        (b"HEAD", b"200 OK\r\nContent-Length: 5", 5),
        (b"HEAD", b"200 OK\r\nTransfer-Encoding: chunked", None),
        (b"GET", b"304 Not Modified\r\nContent-Length: 5", 5),
        (b"GET", b"304 Not Modified", None),
        (b"GET", b"204 No Content", 0),
    ],
)
def test_responses_without_a_body(asked, head, length):
    talk = (
        Talk() >> asked + b" / HTTP/1.1\r\n\r\n" << b"HTTP/1.1 " + head + b"\r\n\r\n" >> GET << OK
    )

    assert lengths(talk) == [None, length, None, 2]


def test_a_request_is_emitted_before_a_response_that_comes_amid_its_body():
    asked = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    talk = (
        Talk()
        >> asked
        << b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"
        >> b"cde\r\n0\r\n\r\n"
    )

    assert names(talk >> GET << OK) == ["PUT /", "413 PUT /", "GET /a?b", "200 GET /a?b"]
    assert lengths(talk) == [None, 0, None, 2]


def test_what_a_closed_connection_cuts_is_emitted_as_far_as_it_went():
    asked = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
    assert message_events(Talk() >> asked)[0][1]["http_request_content_length"] == 2
    assert names(Talk() >> GET) == ["GET /a?b"]
    assert names(Talk() >> GET[:-1]) == []
    answered = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"
    assert lengths(Talk() >> GET << answered) == [None, 3]


def test_a_response_without_a_request_answers_none():
    (response,) = emitted(
        Talk() << b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    ).events

    assert "http_method" not in response.data
    assert "http_server_duration" not in response.data
    assert response.data["http_status_code"] == 408


def test_a_websocket_ends_the_http():
    asked = b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
    switched = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02" + OK

    seen = emitted(Talk() >> asked << switched >> GET)
    assert [event.source for event in seen.events] == ["http.req", "http.resp"]
    assert "http_response_content_length" not in seen.events[1].data
    assert seen.notices == []


def test_a_refused_upgrade_goes_on():
    asked = b"GET /1 HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"

    assert names(Talk() >> asked << OK >> GET << OK)[2:] == ["GET /a?b", "200 GET /a?b"]


def test_a_tunnel_ends_the_http_and_a_refused_one_does_not():
    asked = b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"
    refused = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"
    talk = Talk() >> asked << refused >> asked << b"HTTP/1.1 200 OK\r\n\r\n" >> b"\x16\x03" >> GET

    assert names(talk) == [
        "CONNECT h:443",
        "407 CONNECT h:443",
        "CONNECT h:443",
        "200 CONNECT h:443",
    ]
    assert emitted(talk).notices == []


def test_a_switch_to_http2_amid_a_request_ends_the_reading():
    asked = b"PUT / HTTP/1.1\r\nContent-Length: 9\r\nUpgrade: h2c\r\n\r\nabc"
    seen = emitted(Talk() >> asked << b"HTTP/1.1 101 S\r\nUpgrade: h2c\r\n\r\n" >> b"defghi")

    assert [event.source for event in seen.events] == ["http.req"]
    assert [message.rpartition(": ")[2] for message, _, _ in seen.notices] == [
        "the protocol was switched amid a request"
    ]


def test_unregistered_methods_and_bare_line_ends():
    talk = Talk() >> b"fetch-it /x HTTP/1.1\nA: b\n\n" << b"HTTP/1.1 299\nContent-Length: 0\n\n"

    assert names(talk) == ["fetch-it /x", "299 fetch-it /x"]


def test_bytes_that_are_no_text_are_kept():
    ((_, data),) = message_events(Talk() >> b"GET /\xff HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n")

    assert data["http_target"] == "/\udcff"
    assert data["http_host"] == "é"


class TestExpectations:
    """A client that sends no body before 100 Continue."""

    PUT = b"PUT / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 30\r\n\r\n"
    GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
    NO = b"HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n"

    def test_a_request_that_was_refused_may_have_no_body(self):
        talk = Talk() >> self.PUT << self.NO >> GET << OK

        assert names(talk) == ["PUT /", "417 PUT /", "GET /a?b", "200 GET /a?b"]
        assert emitted(talk).notices == []

    @pytest.mark.parametrize("body", [b"x" * 30, b"GET is what this begins with,\n", b"G" * 30])
    def test_its_body_may_come_even_so(self, body):
        talk = Talk() >> self.PUT << self.NO >> body >> GET << OK

        assert names(talk)[1:] == ["417 PUT /", "GET /a?b", "200 GET /a?b"]
        assert emitted(talk).notices == []

    def test_missing_bytes_may_be_of_either(self):
        talk = Talk() >> self.PUT << self.NO >> b"GET /" >> 20 >> b"x\n" << OK >> GET << OK

        assert names(talk)[2:] == ["200 None None", "GET /a?b", "200 GET /a?b"]
        assert [count for _, _, count in emitted(talk).notices] == [27]

    @pytest.mark.parametrize("before", [GO_ON, b""])
    def test_it_has_one_if_it_was_begun_or_asked_for(self, before):
        talk = Talk() >> self.PUT + (b"" if before else b"x")
        talk << before + self.NO >> b"x" * (30 if before else 29) + GET << OK

        assert names(talk)[1:] == ["417 PUT /", "GET /a?b", "200 GET /a?b"]
        assert emitted(talk).notices == []

    def test_hints_and_their_like_are_no_word_to_go_on(self):
        """Only 100 lets the body come (RFC 9110, section 10.1.1)."""
        for status in b"102 Processing", b"103 Early Hints", b"199 What":
            talk = Talk() >> self.PUT << b"HTTP/1.1 " + status + b"\r\n\r\n"
            talk << self.NO >> GET << OK

            assert names(talk) == ["PUT /", "417 PUT /", "GET /a?b", "200 GET /a?b"]
            assert emitted(talk).notices == []

    def test_it_has_one_if_it_was_not_refused(self):
        talk = Talk() >> self.PUT << OK >> b"x" * 30 + GET << OK

        assert names(talk)[2:] == ["GET /a?b", "200 GET /a?b"]


class TestAnswersAhead:
    """A server that refuses a request need not wait for all of it."""

    @pytest.mark.parametrize("size", [100, 30_000, 70_000, 200_000])
    def test_what_is_answered_before_it_is_whole_does_not_wait_any_more(self, size):
        long = b"GET /" + b"u" * size + b" HTTP/1.1\r\nHost: h\r\n\r\n"
        no = b"HTTP/1.1 414 URI Too Long\r\nContent-Length: 0\r\n\r\n"
        for place in 20, size, size + 20:
            talk = Talk() >> long[:place] << no >> long[place:] >> GET << OK
            seen = emitted(talk)

            assert [summary(data)[:12] for _, data in seen.messages] == [
                "414 None Non",
                "GET /uuuuuuu",
                "GET /a?b",
                "200 GET /a?b",
            ]
            assert seen.notices == []

    def test_what_is_answered_before_it_began_waits(self):
        talk = Talk() << b"HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n" >> GET << OK

        assert names(talk) == ["408 None None", "GET /a?b", "200 GET /a?b"]


class TestMissingBytes:
    """What happens where bytes are not known."""

    def test_in_a_body_of_known_length_they_are_of_it(self):
        asked = b"PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nab"
        talk = Talk() >> asked >> 7 >> b"z" + GET << OK << OK

        assert names(talk)[1:3] == ["GET /a?b", "200 PUT /"]
        assert emitted(talk).notices == []

    def test_in_a_chunk_they_are_counted(self):
        answered = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nab"
        talk = Talk() >> GET << answered << 8 << b"\r\n0\r\n\r\n"

        assert lengths(talk) == [None, 10]
        assert emitted(talk).notices == []

    def test_past_the_end_of_a_chunk_the_next_message_is_looked_for(self):
        answered = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nab"
        talk = Talk() >> GET << answered << 9 << b"cd\r\n0\r\n\r\n" >> GET << OK

        assert lengths(talk) == [None, None, None, 2]
        assert [(reason, count) for _, reason, count in emitted(talk).notices] == [("http", 18)]

    def test_a_lost_head_is_no_event(self):
        talk = (
            Talk() >> GET << b"HTTP/1.1 20" << 30 << b"body\r\n" >> b"GET /2 HTTP/1.1\r\n\r\n" << OK
        )

        assert names(talk) == ["GET /a?b", "GET /2", "200 None None"]

    def test_pairs_are_trusted_again_once_no_request_waits(self):
        talk = (
            Talk()
            >> GET
            << 40
            >> b"GET /2 HTTP/1.1\r\n\r\n"
            << OK
            >> b"GET /3 HTTP/1.1\r\n\r\n"
            << OK
        )

        assert names(talk)[2:] == ["200 None None", "GET /3", "200 GET /3"]

    def test_requests_sent_at_once_are_trusted_again_too(self):
        talk = Talk() >> GET << 40 >> b"GET /2 HTTP/1.1\r\n\r\n" << OK
        talk >> b"GET /3 HTTP/1.1\r\n\r\nGET /4 HTTP/1.1\r\n\r\n" << OK << OK

        assert names(talk)[5:] == ["200 GET /3", "200 GET /4"]

    def test_of_a_client_that_sends_several_at_once_another_may_be_missing(self):
        talk = Talk() >> GET + b"GET /2 HTTP/1.1\r\n\r\n" << OK << OK >> GET >> 40 << OK
        talk >> b"GET /4 HTTP/1.1\r\n\r\n" << OK << OK

        assert names(talk)[5:] == ["200 None None", "GET /4", "200 None None", "200 None None"]

    def test_a_request_that_waited_while_both_sides_were_lost_is_not_paired(self):
        talk = Talk() >> GET << 40 >> 40 << OK >> GET << OK

        assert names(talk) == ["GET /a?b", "200 None None", "GET /a?b", "200 GET /a?b"]

    def test_requests_that_are_not_waited_for_any_more_are_no_burden(self):
        talk = Talk()
        for _ in range(600):
            talk >> GET << 40 >> GET << OK
        seen = talk.read()

        assert len(seen.events) == 1800
        assert [count for _, _, count in seen.notices] == [600 * 40]

    def test_the_end_of_a_method_is_no_method(self):
        assert names(Talk() >> 1 >> b"LETE / HTTP/1.1\r\n\r\n" << OK >> GET) == [
            "200 None None",
            "GET /a?b",
        ]

    def test_a_start_in_mid_stream(self):
        talk = Talk("client") << b"rest of a page\r\nHTTP/1.1 is\r\n" >> GET << OK

        assert names(talk) == ["GET /a?b", "200 GET /a?b"]
        ((message, reason, count),) = emitted(talk).notices
        assert (reason, count) == ("http", 29)
        assert message == (
            "29 bytes of the HTTP between curl (70) and 10.0.0.2:80 belonged to incomplete messages"
        )

    def test_a_line_that_never_ends_is_skipped(self):
        talk = Talk() >> b"\x00\n" + b"x" * 20_000 >> GET << OK >> GET

        assert names(talk) == ["200 None None", "GET /a?b"]

    def test_what_follows_is_marked(self):
        talk = Talk() >> GET << OK >> 40 << OK >> GET << OK >> GET << 40 >> GET << OK

        marked = [data.get("http_after_loss", False) for _, data in message_events(talk)]
        assert names(talk)[2:5] == ["200 None None", "GET /a?b", "200 GET /a?b"]
        assert marked == [False, False, False, *[True] * (len(marked) - 3)]

    def test_a_message_within_an_upload_is_none(self):
        upload = b"PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Le"
        talk = Talk() >> upload >> 20 << b"HTTP/1.1 100 Continue\r\n\r\n" >> GET << OK >> GET << OK

        assert names(talk) == ["200 None None", "GET /a?b", "200 GET /a?b"]

    def test_an_interim_response_is_no_turn_even_after_a_doubtful_one(self):
        bare = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        talk = Talk() >> 40 << bare >> 40 << b"HTTP/1.1 100 Continue\r\n\r\n" >> GET << OK >> GET

        assert names(talk) == ["200 None None", "200 None None", "GET /a?b"]

    def test_a_response_to_a_head_that_was_missed_has_no_body(self):
        bare = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for head in bare, endless:
            talk = Talk() >> GET << OK >> 40 << head >> 40 << head >> GET << OK

            assert names(talk).count("200 None None") == 2
            assert names(talk)[-1] == "200 GET /a?b"
            assert lengths(talk)[-1] == 2


class TestOddFields:
    """A header with a flaw is a header: the fields that make sense are in the event."""

    def test_they_are_left_out(self):
        talk = Talk() >> b"GET / HTTP/1.1\r\nno colon\r\nHost: h\r\n\r\n" >> GET << OK << OK

        assert names(talk) == ["GET /", "GET /a?b", "200 GET /", "200 GET /a?b"]
        assert message_events(talk)[0][1]["http_host"] == "h"
        assert emitted(talk).notices == []

    @pytest.mark.parametrize("lines", [b"2\r\nContent-Length: 2", b"2, 2", b"2,2\r\nX@: y"])
    def test_a_length_may_be_said_twice(self, lines):
        twice = b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\nok" % lines
        talk = Talk() >> GET << twice >> GET << OK

        assert names(talk) == ["GET /a?b", "200 GET /a?b"] * 2
        assert lengths(talk) == [None, 2] * 2
        assert emitted(talk).notices == []

    @pytest.mark.parametrize("length", [b"x", b"-2", b"2\r\nContent-Length: 3", b"9" * 19, b"2,"])
    def test_after_a_length_that_is_none_a_message_begins_at_a_turn(self, length):
        odd = b"HTTP/1.1 200 OK\r\nContent-Length: %b\r\n\r\n" % length
        talk = Talk() >> GET << odd + OK >> GET << OK

        assert names(talk) == ["GET /a?b", "200 GET /a?b"] * 2
        assert lengths(talk) == [None, None, None, 2]
        assert [count for _, _, count in emitted(talk).notices] == [len(OK)]

        talk = Talk() >> odd.replace(b"HTTP/1.1 200 OK", b"PUT / HTTP/1.1") + GET << OK >> GET << OK
        assert names(talk) == ["PUT /", "200 PUT /", "GET /a?b", "200 GET /a?b"]
        assert [count for _, _, count in emitted(talk).notices] == [len(GET)]

    def test_identity_is_no_coding(self):
        identity = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok"
        talk = Talk() >> GET << identity >> GET << OK

        assert lengths(talk) == [None, 2] * 2

    def test_a_tunnel_has_no_length(self):
        answer = b"HTTP/1.1 200 Yes\r\nContent-Length: 9\r\n\r\n"
        talk = Talk() >> b"CONNECT h:443 HTTP/1.1\r\n\r\n" << answer

        assert lengths(talk) == [None, None]


class TestGivingUp:
    """What cannot be read further has one notice, and what was read is emitted."""

    @pytest.mark.parametrize(
        ("asked", "why"),
        [
            (
                b"GET / HTTP/1.1\r\n" + b"Content-Length: 1\r\n" * 4_000,
                "a header is too long",
            ),
            (CHUNKS + b"xyz\r\n" + GET, "the size of a chunk is no number"),
            (CHUNKS + b"\xb2\r\n" + GET, "the size of a chunk is no number"),
            (CHUNKS + b"1" * 16 + b"\r\n" + GET, "the size of a chunk is no number"),
            (CHUNKS + b"1\r\nab\r\n" + GET, "a chunk is longer than its size"),
            (CHUNKS + b"1;" + b"x" * 9000, "a line between chunks is too long"),
            (CHUNKS + b"0\r\n" + b"A: b\r\n" * 12_000, "the trailer of a body is too long"),
        ],
    )
    def test_of_what_is_no_http(self, asked, why):
        seen = emitted(Talk() >> GET + asked >> GET << OK)

        assert [summary(data) for _, data in seen.messages] == ["GET /a?b", "PUT /"][
            : 1 + (asked[:1] == b"P")
        ]
        assert all("http_request_content_length" not in data for _, data in seen.messages)
        assert seen.notices == [
            (
                f"The HTTP between curl (70) and 10.0.0.2:80 could not be read further: {why}",
                "http",
                1,
            )
        ]

    @pytest.mark.parametrize("memory", [2**16, 2**20])
    def test_of_too_many_requests_without_a_response(self, memory):
        talk = Talk(config=f"{EVENTS}scopetrace: {{flowmemory: {memory}}}\n")
        talk >> b"GET / HTTP/1.1\r\n\r\n" * 1100
        seen = talk.read()

        assert len(seen.events) == memory // messages.LEAST_WEIGHT
        assert [count for _, _, count in seen.notices] == [1]


def test_thousands_of_answered_requests_are_no_burden():
    talk = Talk()
    for _ in range(1100):
        talk >> GET << OK

    seen = talk.read()
    assert len(seen.events) == 2200
    assert seen.notices == []


TARGETS = st.sampled_from([b"/", b"/a/b?c=d&e", b"http://h/x", b"/%20"])
BODIES = st.binary(max_size=40)
FRAMINGS = st.sampled_from(["length", "chunks"])


def framed(body: bytes, framing: str) -> bytes:
    if framing == "length":
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    return b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*([body] if body else []))


@st.composite
def exchanges(draw):
    """A request and its response, as bytes."""
    method = draw(st.sampled_from([b"GET", b"HEAD", b"POST", b"DELETE", b"BREW"]))
    request = b"%b %b HTTP/1.1\r\nHost: h\r\nX: %b\r\n" % (
        method,
        draw(TARGETS),
        b"y" * draw(st.integers(0, 9)),
    )
    with_body = method in (b"POST", b"BREW")
    request += framed(draw(BODIES), draw(FRAMINGS)) if with_body else b"\r\n"
    status = draw(st.sampled_from([200, 204, 304, 404, 500]))
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    response = interim + b"HTTP/1.1 %d Some Reason\r\nServer: s\r\n" % status
    bare = method == b"HEAD" or status in (204, 304)
    response += b"\r\n" if bare else framed(draw(BODIES), draw(FRAMINGS))
    return request, response


def second_opinion(pairs: list[tuple[bytes, bytes]]) -> list[tuple[str, int]]:
    """Return what h11 says the requests and responses are, and how long their bodies."""
    found = []
    server, client = h11.Connection(h11.SERVER), h11.Connection(h11.CLIENT)
    for request, response in pairs:
        server.receive_data(request)
        asked, asked_length = _message(server, h11.Request)
        target = f"{asked.method.decode()} {asked.target.decode()}"
        client.send(h11.Request(method=asked.method, target=asked.target, headers=[("Host", "h")]))
        client.send(h11.EndOfMessage())
        client.receive_data(response)
        answered, answered_length = _message(client, h11.Response)
        found += [(target, asked_length), (f"{answered.status_code} {target}", answered_length)]
        server.send(h11.Response(status_code=204, headers=[]))
        server.send(h11.EndOfMessage())
        server.start_next_cycle()
        client.start_next_cycle()
    return found


def _message(connection, kind):
    message, length = None, 0
    while True:
        event = connection.next_event()
        if isinstance(event, kind):
            message = event
        elif isinstance(event, h11.Data):
            length += len(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return message, length


@given(st.lists(exchanges(), min_size=1, max_size=4), st.sets(st.integers(0, 300)), st.booleans())
def test_h11_says_the_same(pairs, cuts, pipelined):
    """However it is cut, and sent one by one or all at once."""
    talk = Talk()
    if pipelined:
        (
            talk
            >> b"".join(request for request, _ in pairs)
            << b"".join(response for _, response in pairs)
        )
    else:
        for request, response in pairs:
            talk >> request << response
    seen = talk.read(*cuts)

    found = [(summary(data), length_of(data) or 0) for _, data in seen.messages]
    expected = second_opinion(pairs)
    if pipelined:
        expected = expected[::2] + expected[1::2]
    assert found == expected
    assert seen.notices == []


@given(
    st.lists(exchanges(), min_size=1, max_size=5),
    st.dictionaries(st.integers(0, 9), st.tuples(st.integers(0, 150), st.integers(1, 150))),
    st.sets(st.integers(0, 150)),
)
def test_what_a_loss_leaves_is_true_and_what_it_costs_is_counted(pairs, losses, cuts):
    """From a step of this number, from this byte on, so many are missing."""
    talk = Talk()
    for number, step in enumerate(step for pair in pairs for step in pair):
        start, size = losses.get(number, (0, 0))
        for part in (step[:start], len(step[start : start + size]), step[start + size :]):
            if part:
                talk.steps.append((number % 2 == 0, part))
    seen = talk.read()

    assert sorted(map(repr, talk.read(*cuts).messages)) == sorted(map(repr, seen.messages))
    expected = second_opinion(pairs)
    found = Counter(summary(data) for _, data in seen.messages if "http_method" in data)
    assert found <= Counter(summary for summary, _ in expected)
    assert Counter(data["http_status_code"] for name, data in seen.messages if name == "resp") <= (
        Counter(int(summary[:3]) for summary, _ in expected if summary[0].isdigit())
    )
    for _, data in seen.messages:
        if "http_method" in data and length_of(data) is not None:
            assert (summary(data), length_of(data)) in expected
    assert len(seen.messages) == len(expected) or seen.notices
