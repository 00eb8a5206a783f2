"""HTTP exchanges as an HTTP Archive (HAR 1.2), which browsers and other tools open.

Events know some header fields and the length of a body. All fields and the bodies are in the
archive if the payload was recorded. What is not known is -1, an empty text or an empty list, as the
format wants it; times are ms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from scopetrace.model.exchange import Content, Exchange
from scopetrace.output.http_body import body_text
from scopetrace.output.json_bytes import json_bytes, json_document

if TYPE_CHECKING:
    from scopetrace.model.json_value import Json

UNKNOWN = -1
HEADERS_ONLY_SOME = "only the header fields that events have; `run -p` records all, and bodies"
BODY_CUT = "the body is not whole"
OWN_FIELDS = ("http_", "net_", "unix_", "grpc_")
"""How the fields of events begin that are no header fields."""
BEFORE = b'{"log":{"version":"1.2","creator":%b,"entries":['


def har_file(exchanges: Iterable[Exchange], version: str) -> Iterator[bytes]:
    """Yield the file in pieces; `version` is that of scopetrace."""
    creator = json_bytes({"name": "scopetrace", "version": version})
    return json_document(BEFORE % creator, map(entry, exchanges), b"]}}\n")


def entry(exchange: Exchange) -> dict[str, Any]:
    """Return an exchange as the format has it; names that begin with _ are our own."""
    wait = 0 if exchange.duration_us is None else exchange.duration_us / 1000
    started = datetime.fromtimestamp(exchange.started_ns // 1000 / 1_000_000, UTC)
    found = {
        "startedDateTime": started.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "time": wait,
        "request": _request(exchange),
        "response": _response(exchange),
        "cache": {},
        "timings": {"send": 0, "wait": wait, "receive": 0},
        "serverIPAddress": _server(exchange),
        "connection": str(exchange.channel),
        "_side": exchange.side,
        "_pid": exchange.pid,
        "_proc": exchange.proc,
        "_id": exchange.id,
    }
    return {name: value for name, value in found.items() if value != ""}


def _server(exchange: Exchange) -> str:
    return str(exchange.fact(f"net_{'host' if exchange.side == 'server' else 'peer'}_ip") or "")


def _request(exchange: Exchange) -> dict[str, Any]:
    data, content = exchange.request or {}, exchange.request_content
    headers = _headers(exchange.request, content, ("http_host", "http_user_agent"))
    length = _length(data, "http_request_content_length")
    found: dict[str, Any] = {
        "method": exchange.fact("http_method") or "",
        "url": exchange.url,
        "httpVersion": _version(exchange.request or exchange.response),
        "cookies": _cookies(headers, "cookie"),
        "headers": headers,
        "queryString": _query(exchange.url),
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN if length is None else length,
    }
    if content is not None and content.body:
        body = body_text(content)
        posted = {"mimeType": content.header("content-type"), "text": body.text}
        found["postData"] = {**posted, "encoding": "base64"} if body.is_base64 else posted
    return _noted(found, content, length)


def _response(exchange: Exchange) -> dict[str, Any]:
    data, content = exchange.response or {}, exchange.response_content
    headers = _headers(exchange.response, content, ())
    length = _length(data, "http_response_content_length")
    found = {
        "status": exchange.status or 0,
        "statusText": data.get("http_status_text", ""),
        "httpVersion": _version(exchange.response),
        "cookies": _cookies(headers, "set-cookie"),
        "headers": headers,
        "content": _content(content, length),
        "redirectURL": content.header("location") if content else "",
        "headersSize": UNKNOWN,
        "bodySize": UNKNOWN if length is None else length,
    }
    return _noted(found, content, length)


def _length(data: dict[str, Json], field: str) -> int | None:
    length = data.get(field)
    return length if isinstance(length, int) else None


def _noted(found: dict[str, Any], content: Content | None, length: int | None) -> dict[str, Any]:
    """Return a message with a comment on what is missing of it."""
    if content is None:
        return {**found, "comment": HEADERS_ONLY_SOME}
    if content.body and length is not None and len(content.body) < length:
        return {**found, "comment": BODY_CUT}
    return found


def _content(content: Content | None, length: int | None) -> dict[str, Any]:
    found = {"size": length or 0, "mimeType": content.header("content-type") if content else ""}
    if content is None or not content.body:
        return found
    body = body_text(content)
    return {**found, "text": body.text, **({"encoding": "base64"} if body.is_base64 else {})}


def _version(data: dict[str, Any] | None) -> str:
    flavor = (data or {}).get("http_flavor")
    return f"HTTP/{flavor}" if flavor else ""


def _headers(
    data: dict[str, Any] | None, content: Content | None, known: Iterable[str]
) -> list[dict[str, str]]:
    """Return all header fields; without payload those that are in the event."""
    if content is not None:
        return [{"name": name, "value": value} for name, value in content.headers]
    data = data or {}
    pairs = [(name.removeprefix("http_").replace("_", "-"), data.get(name)) for name in known]
    pairs += [(name, value) for name, value in data.items() if not name.startswith(OWN_FIELDS)]
    return [{"name": name, "value": str(value)} for name, value in pairs if value is not None]


def _cookies(headers: Iterable[dict[str, str]], name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for header in headers:
        if header["name"].lower() == name:
            found += _cookie_pairs(header["value"])
    return found


def _cookie_pairs(value: str) -> Iterator[dict[str, str]]:
    try:
        cookies = SimpleCookie(value)
    except CookieError:
        return
    for name, cookie in cookies.items():
        yield {"name": name, "value": cookie.value}


def _query(url: str) -> list[dict[str, str]]:
    try:
        query = urlsplit(url).query
    except ValueError:  # a bad IPv6 address in brackets
        query = url.partition("?")[2]
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=None)
    return [{"name": name, "value": value} for name, value in pairs]
