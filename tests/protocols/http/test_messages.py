from __future__ import annotations

import pytest

from scopetrace.protocols.http.messages import (
    LEAST_WEIGHT,
    Budget,
    Request,
    Response,
    Unreadable,
)


def request(method: str = "GET", weight: int = 0) -> Request:
    return Request("1.1", (1, 2), method, "/", "http", "", None, weight)


def response(status: int, method: str | None = "GET", declared: int | None = None) -> Response:
    return Response("1.1", 1, status, request(method) if method else None, declared)


def test_a_declared_length_is_believed_before_a_counted_one():
    message = response(200)
    assert message.length is None

    message.counted = 0
    assert message.length == 0

    message.declared = 5
    assert message.length == 5


@pytest.mark.parametrize(
    ("message", "bare", "counted", "tunnel"),
    [
        (response(200), False, True, False),
        (response(200, None), False, True, False),
        (response(204), True, True, False),
        (response(304), True, False, False),
        (response(101), False, False, False),
        (response(200, "HEAD"), True, False, False),
        (response(200, "CONNECT"), False, False, True),
        (response(404, "CONNECT"), False, True, False),
    ],
)
def test_what_a_response_may_have(message, bare, counted, tunnel):
    assert (message.is_bare, message.is_counted, message.is_tunnel) == (bare, counted, tunnel)


def test_only_a_length_that_is_not_declared_is_waited_for():
    assert response(200).awaits_count
    assert not response(200, declared=0).awaits_count
    assert not response(304).awaits_count


def test_a_budget_ends_and_is_given_back():
    budget = Budget(10 * LEAST_WEIGHT)
    for _ in range(10):
        budget.take(request())
    budget.give(request())
    budget.take(request())

    with pytest.raises(Unreadable):
        budget.take(request())


def test_what_is_held_with_a_request_goes_with_it():
    budget, held = Budget(3 * LEAST_WEIGHT), request()
    for _ in range(9):
        budget.take(held)
        budget.grow(held, LEAST_WEIGHT)
        budget.give(held)
        held = request()
    budget.hold(2 * LEAST_WEIGHT)
    budget.take(held)
    with pytest.raises(Unreadable):
        budget.grow(held, 1)


def test_large_requests_weigh_more():
    budget = Budget(100_000)
    budget.take(request(weight=100_000))

    with pytest.raises(Unreadable):
        budget.take(request())
