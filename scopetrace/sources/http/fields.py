"""The fields of http events that come from the header of a message."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from scopetrace.config.patterns import Pattern, compile_pattern
from scopetrace.model.image import Image
from scopetrace.protocols.http.headers import Headers
from scopetrace.protocols.http.messages import Request, Response
from scopetrace.sources.http.names import HTTP

Patterns = Sequence[Pattern]

FORWARDED = b"x-forwarded-for"


def repeated_fields(request: Request, headers: Headers) -> dict[str, Any]:
    """Return those fields of a request that its response repeats."""
    fields: dict[str, Any] = {"http_method": request.method, "http_target": request.target}
    if request.scheme:
        fields["http_scheme"] = request.scheme
    if request.after_loss:
        fields["http_after_loss"] = True
    if request.truncated:
        fields["http_truncated"] = True
    if request.host:
        fields["http_host"] = request.host
    if request.grpc_method:
        fields["http_grpc_method"] = request.grpc_method
    agent = headers.get(b"user-agent")
    if agent:
        fields["http_user_agent"] = agent
    return fields


def request_fields(
    request: Request, headers: Headers, repeated: dict[str, Any], patterns: Patterns
) -> dict[str, Any]:
    """Return the fields of a request, but for its length and the ends of its flow.

    Args:
        request: the message.
        headers: its header.
        repeated: what `repeated_fields` returned of it.
        patterns: find the header fields that are wanted.
    """
    fields = {**repeated, "http_flavor": request.version}
    if request.stream:
        fields["http_stream"], fields["http_frame"] = request.stream, request.frame
    client, _, _proxies = headers.get(FORWARDED).partition(",")
    if client:
        fields["http_client_ip"] = client.strip()
    appscope = headers.get(b"x-appscope")
    if appscope:
        fields["x-appscope"] = appscope
    _add_wanted(fields, headers, patterns)
    return fields


def response_fields(response: Response, headers: Headers, patterns: Patterns) -> dict[str, Any]:
    """Return the fields of a response, but for length, duration and the ends of its flow."""
    request = response.request
    fields: dict[str, Any] = dict(request.repeated) if request else {}
    fields["http_status_code"] = response.status
    fields["http_flavor"] = response.version
    if response.after_loss:
        fields["http_after_loss"] = True
    if response.truncated:
        fields["http_truncated"] = True
    if response.reason:
        fields["http_status_text"] = response.reason
    if response.stream:
        fields["http_stream"] = response.stream
    _add_wanted(fields, headers, patterns)
    return fields


def _add_wanted(fields: dict[str, Any], headers: Headers, patterns: Patterns) -> None:
    """Add what the configuration asks for; no header replaces a field of ours."""
    if patterns:
        for name, value in headers.matching(patterns).items():
            fields.setdefault(name, value)


def wanted_headers(image: Image) -> Patterns:
    """Return what finds the header fields that the configuration wants in a process's events."""
    return _compiled(image.rules.http_headers)


@lru_cache(maxsize=64)
def _compiled(patterns: tuple[str, ...]) -> Patterns:
    """Compile them. Names of fields have no case (RFC 9110, 5.1), so neither have these."""
    place = f"headers of type {HTTP}"
    return [compile_pattern(pattern, place, ignore_case=True) for pattern in patterns]
