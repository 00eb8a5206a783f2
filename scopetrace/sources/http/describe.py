"""From the header of a message to the fields of its event: the same for both versions of HTTP."""

from __future__ import annotations

from typing import Any

from scopetrace.protocols.http.headers import Headers, Patterns
from scopetrace.protocols.http.messages import Request, Response

SHARED = (("http_user_agent", b"user-agent"),)
"""What the response repeats; besides method, target, scheme and host."""
OWN = (("x-appscope", b"x-appscope"),)
FORWARDED = b"x-forwarded-for"


def described_request(
    times: tuple[int, int], shared: dict[str, Any], own: dict[str, Any], headers: Headers,
    declared: int | None, patterns: Patterns, weight: int,
) -> Request:  # fmt: skip
    """Return a request.

    Args:
        times: when it began, and when its header was complete.
        shared: method, target, scheme and host, as far as they are known.
        own: version, and what else the version of HTTP has to say.
        headers: its fields.
        declared: the length of its body, as far as that counts.
        patterns: which of its fields are wanted.
        weight: the size of its header.
    """
    _add(shared, SHARED, headers)
    fields = {**shared, **own}
    client, _, _proxies = headers.get(FORWARDED).partition(",")
    if client:
        fields["http_client_ip"] = client.strip()
    _add(fields, OWN, headers)
    _add_wanted(fields, headers, patterns)
    return Request(*times, shared, fields, declared, weight)


def described_response(
    began_ns: int, request: Request | None, status: int, own: dict[str, Any], headers: Headers,
    declared: int | None, patterns: Patterns,
) -> Response:  # fmt: skip
    """Return a response; the arguments are as those of `described_request`."""
    fields = {**(request.shared if request else {}), "http_status_code": status, **own}
    _add_wanted(fields, headers, patterns)
    return Response(began_ns, fields, declared, status, request)


def _add(fields: dict[str, Any], names: tuple[tuple[str, bytes], ...], headers: Headers) -> None:
    for field, name in names:
        value = headers.get(name)
        if value:
            fields[field] = value


def _add_wanted(fields: dict[str, Any], headers: Headers, patterns: Patterns) -> None:
    """Add what the configuration asks for; no header replaces a field of ours."""
    if patterns:
        for name, value in headers.matching(patterns).items():
            fields.setdefault(name, value)
