"""The fields of http events: those of the message, of its header, and of its flow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from scopetrace.config.patterns import Pattern, compile_pattern
from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import flow_fields
from scopetrace.model.form import MORE, Form, form
from scopetrace.model.image import Image
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Request, Response
from scopetrace.sources.http.names import HTTP

Patterns = Sequence[Pattern]

FORWARDED = b"x-forwarded-for"

_REPEATED = (
    "http_method",
    "http_target",
    "http_scheme",
    "http_after_loss",
    "http_truncated",
    "http_host",
    "http_grpc_method",
    "http_user_agent",
)
"""Fields of a request that its response repeats."""

REQUEST = form(
    *_REPEATED,
    "http_flavor",
    "http_stream",
    "http_frame",
    "http_client_ip",
    "x-appscope",
    MORE,
    "http_request_content_length",
    MORE,
)


def _response(side: str) -> Form:
    """Return the form of a response that was recorded at this side."""
    return form(
        *_REPEATED,
        "http_status_code",
        "http_flavor",
        "http_status_text",
        "http_stream",
        MORE,
        "grpc_status",
        "grpc_message",
        f"http_{side}_duration",
        "http_duration_us",
        "http_response_content_length",
        MORE,
    )


RESPONSE = {side: _response(side) for side in ("client", "server")}
_OWN = {*REQUEST.names, *RESPONSE["client"].names, *RESPONSE["server"].names}


def note_request(headers: Headers, patterns: Patterns) -> tuple[Any, ...]:
    """Return what `request_data` takes of the header of a request."""
    client = headers.get(FORWARDED)
    if client:
        client = client.partition(",")[0].strip()
    return (
        headers.get(b"user-agent") or None,
        client or None,
        headers.get(b"x-appscope") or None,
        note_wanted(headers, patterns),
    )


def note_wanted(headers: Headers, patterns: Patterns) -> dict[str, str] | None:
    """Return what the configuration asks for; no header replaces a field of ours."""
    if not patterns:
        return None
    found = headers.matching(patterns)
    return {name: value for name, value in found.items() if name not in _OWN}


def request_data(request: Request, flow: Flow) -> tuple[Any, ...]:
    """Return the data of http.req."""
    agent, client, appscope, wanted = request.noted
    ends = flow_fields(flow)
    return (
        REQUEST,
        request.method,
        request.target,
        request.scheme or None,
        True if request.after_loss else None,
        True if request.truncated else None,
        request.host or None,
        request.grpc_method or None,
        agent,
        request.version,
        request.stream or None,
        request.frame or None,
        client,
        appscope,
        _beside(ends, wanted),
        request.length,
        ends,
    )


def response_data(
    response: Response, flow: Flow, shape: Form, duration_us: int | None
) -> tuple[Any, ...]:
    """Return the data of http.resp, whose form is `shape`."""
    request = response.request
    method = target = scheme = host = grpc_method = agent = None
    after_loss, truncated = response.after_loss, response.truncated
    if request is not None:
        method, target, scheme = request.method, request.target, request.scheme
        host, grpc_method, agent = request.host, request.grpc_method, request.noted[0]
        after_loss, truncated = after_loss or request.after_loss, truncated or request.truncated
    ends = flow_fields(flow)
    return (
        shape,
        method,
        target,
        scheme or None,
        True if after_loss else None,
        True if truncated else None,
        host or None,
        grpc_method or None,
        agent,
        response.status,
        response.version,
        response.reason or None,
        response.stream or None,
        _beside(ends, response.noted),
        response.grpc_status,
        response.grpc_message or None,
        None if duration_us is None else duration_us // 1000,
        duration_us,
        response.length,
        ends,
    )


def _beside(ends: dict[str, Any], wanted: dict[str, str] | None) -> dict[str, str] | None:
    """Return the headers that are wanted, but for those with the name of a field of the flow."""
    if not wanted:
        return None
    return {name: value for name, value in wanted.items() if name not in ends}


def wanted_headers(image: Image) -> Patterns:
    """Return what finds the header fields that the configuration wants in a process's events."""
    return _compiled(image.rules.http_headers)


@lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> Patterns:
    """Compile them. Names of fields have no case (RFC 9110, 5.1), so neither have these."""
    place = f"headers of type {HTTP}"
    return [compile_pattern(pattern, place, ignore_case=True) for pattern in patterns]
