from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.protocols.http.bodies import Fixed
from scopetrace.protocols.http.heads import LATER_REQUEST_LINE, LONG_REQUEST_LINE, REQUEST_LINE
from scopetrace.protocols.http.messages import MOST_HEAD, Message
from scopetrace.protocols.http.side import Side
from support.http_talk import pieces


class Requests(Side):
    """Keeps the target of each head, and how much of each body was counted."""

    first_line = REQUEST_LINE
    later_first_line = LATER_REQUEST_LINE
    long_first_line = LONG_REQUEST_LINE

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bytes | int | None] = []
        self.times: list[int] = []
        self.long: list[bool] = []

    def begin(self, began_ns, start, headers, size) -> None:
        self.seen.append(start[2])
        self.times.append(began_ns)
        self.long.append(self.truncated)
        if headers.length:
            self.read_body(Message("1.1", began_ns, None), Fixed(headers.length))

    def complete(self, message) -> None:
        self.seen.append(message.counted)


TURN = None
"""The other side makes progress."""


def reading(*feeds: bytes | int | None, kind: type[Requests] = Requests) -> Requests:
    """Return a side after these bytes, numbers of unknown bytes, or turns, one a nanosecond."""
    side = kind()
    for at, feed in enumerate(feeds):
        if feed is TURN:
            side.other_side_progressed()
        elif isinstance(feed, int):
            side.skip(feed)
        else:
            side.feed(at, feed)
    return side


def get(target: bytes, length: int = 0) -> bytes:
    return b"GET %b HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (target, length)


def test_heads_and_bodies_come_in_turn():
    side = reading(get(b"/1", 3) + b"abc" + get(b"/2") + b"\r\n" + get(b"/3", 1), b"x")

    assert side.seen == [b"/1", 3, b"/2", b"/3", 1]
    assert side.unparsed == 0


def test_a_message_begins_with_its_first_byte():
    whole = get(b"/2")

    assert reading(b"\r\n", get(b"/1") + whole[:3], whole[3:9], whole[9:] + whole).times == [
        1,
        1,
        3,
    ]


def test_what_is_no_message_is_unparsed():
    side = reading(get(b"/1") + b"one\n" + get(b"/2"), TURN, get(b"/3"), b"\r\n\r\ntwo\n")

    assert side.seen == [b"/1", b"/3"]
    assert side.unparsed == 4 + len(get(b"/2")) + 4


def test_after_a_loss_a_message_begins_at_a_turn_only():
    inside = b"a page about HTTP:\n" + get(b"/inside")
    side = reading(get(b"/1", 5), TURN, 6, inside, get(b"/inside"), TURN, inside, TURN, get(b"/2"))

    assert side.seen == [b"/1", None, b"/2"]
    assert side.unparsed == 6 + 2 * len(inside) + len(get(b"/inside"))


@pytest.mark.parametrize(
    "head",
    [
        b"BREW /2 HTTP/1.1\r\n\r\n",
        b"\r\nGET /2 HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET /2 HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /2 HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ],
)
def test_after_a_loss_a_message_has_no_flaw(head):
    assert reading(head).seen != []
    for feeds in [head], [head[:3], head[3:]], [head[:-1], head[-1:]]:
        side = reading(1, TURN, *feeds, get(b"/3"), TURN, get(b"/4"), head)

        assert side.seen[0] == b"/4"
        assert len(side.seen) == 2
        assert side.unparsed == 1 + len(head) + len(get(b"/3"))


def test_a_turn_amid_a_message_changes_nothing():
    side = reading(get(b"/1", 5)[:9], TURN, get(b"/1", 5)[9:] + b"ab", TURN, b"cde" + get(b"/2"))

    assert side.seen == [b"/1", 5, b"/2"]


def test_unknown_bytes_lose_what_they_may_belong_to():
    side = reading(get(b"/1", 5), 4, b"x" + get(b"/2", 5), 6, b"rest", TURN, get(b"/3") + b"GET", 2)

    assert side.seen == [b"/1", 5, b"/2", None, b"/3"]
    assert side.unparsed == 6 + 4 + 3 + 2


def test_an_end_and_a_question_in_between_say_what_was_counted():
    side = reading(get(b"/1", 5) + b"ab")
    side.complete_counted()
    side.feed(9, b"c")
    side.end()

    assert side.seen == [b"/1", 2, 3]


@pytest.mark.parametrize("size", [MOST_HEAD, MOST_HEAD + 1, MOST_HEAD + 300])
@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: b\r\n"])
def test_of_a_long_head_not_all_is_known(size, line):
    head = line + b"B: " + b"x" * (size - len(line) - 7) + b"\r\n\r\n"

    for cuts in (), (9,), (len(head) - 3,), range(0, size, 100):
        side = reading(*pieces(head + get(b"/2"), cuts))
        assert (side.seen, side.long) == ([b"/", b"/2"], [size > MOST_HEAD, False])
        assert side.unparsed == side.unfinished == 0


@pytest.mark.parametrize("more", [0, 1, 3, 100_000])
def test_of_a_long_first_line_the_beginning_is_known(more):
    line = b"GET /" + b"x" * (MOST_HEAD - 16 + more) + b" HTTP/1.1\r\n"

    for cuts in (), (9,), (len(line) - 1,), range(0, len(line), 100):
        side = reading(*pieces(line + b"Content-Length: 3\r\n\r\n123" + get(b"/2"), cuts))
        assert side.seen == [b"/" + b"x" * 8187, 3, b"/2"]
        assert side.unparsed + side.unfinished == 0


def test_a_long_head_that_never_ends_is_counted():
    side = reading(b"GET /" + b"x" * 100_000, b" HTTP/1.1\r\nA: b\r\n")

    assert (side.seen, side.unparsed + side.unfinished) == ([], 100_022)


def test_a_loss_amid_a_long_head_loses_it():
    side = reading(b"GET /" + b"x" * 100_000, 5, b" HTTP/1.1\r\n\r\n", TURN, get(b"/2"))

    assert (side.seen, side.unparsed) == ([b"/2"], 100_005 + 5 + 13)


def test_a_long_line_that_is_no_request_is_unparsed():
    for noise in b"\0" * 100_000, b"GET /" + b"x" * 100_000 + b" HTTP/x\r\n\r\n":
        side = reading(noise, TURN, get(b"/2"))

        assert (side.seen, side.unparsed) == ([b"/2"], len(noise))


LINES = [b"ab", b"\r\n", b"\n", b"GET ", b"/ HTTP/1.1\r\n", b": :\r\n", b"\0", b"x" * 9000]
WORDS = st.sampled_from([get(b"/1"), get(b"/2", 2), *LINES])


@given(st.lists(WORDS, max_size=9), st.sets(st.integers(0, 200), max_size=9))
def test_cuts_change_nothing(words, cuts):
    data = b"".join(words)
    whole, cut = reading(data), reading(*pieces(data, cuts))

    assert (cut.seen, cut.unparsed) == (whole.seen, whole.unparsed)


class General(Requests):
    """Takes no head by the short way."""

    def _take_whole_head(self, buffer, position) -> int:
        return position


HEADS = (
    get(b"/1"),
    get(b"/2", 3),
    b"GET /3 HTTP/1.0\n\n",
    b"PUT /4 HTTP/1.1 \r\nA: b\r\n c\n\r\n",
    b"GET /5 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"GET /6 HTTP/1.1\r\nno colon\r\nA : b\r\nContent-Length: x\r\n\r\n",
    b"ODD /7 HTTP/1.1\r\nA: %b\r\n\r\n" % (b"7" * 5000),
    b"GET /8 HTTP/1.1\r\nA: %b\r\n\r\n" % (b"8" * MOST_HEAD),
    b"GET /9%b HTTP/1.1\r\n\r\n" % (b"9" * MOST_HEAD),
    b"\r\n\r\n",
    b"\n",
    b"GET\n\n",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"GET / HTTP/2.0\r\n\r\n",
)
OTHER = st.binary(max_size=4) | st.sampled_from((b"abc", b"GET ", b"\r", TURN)) | st.integers(1, 9)


@given(st.lists(st.sampled_from(HEADS) | OTHER, max_size=8), st.data())
def test_the_short_way_finds_what_the_long_one_does(steps, data):
    """However they are cut and joined, with bytes that are missing, and where there is no head."""
    feeds: list[bytes | int | None] = []
    for step in steps:
        if not isinstance(step, bytes):
            feeds.append(step)
            continue
        cuts = data.draw(st.lists(st.integers(0, len(step)), max_size=2))
        first, *others = pieces(step, cuts)
        joins = bool(feeds) and isinstance(feeds[-1], bytes) and data.draw(st.booleans())
        feeds[len(feeds) - joins :] = [feeds[-1] + first if joins else first]
        feeds += others

    short, long = reading(*feeds), reading(*feeds, kind=General)

    assert (short.seen, short.times, short.long) == (long.seen, long.times, long.long)
    for fact in ("unparsed", "unfinished", "after_loss", "made_progress"):
        assert getattr(short, fact) == getattr(long, fact)
