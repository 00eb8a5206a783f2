"""HTTP exchanges as read back: a request and its response, put together from their events.

What only the payload has (`run -p`) is in the two `Content`s: all header fields, and the bodies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from scopetrace.model.json_value import Json

LEAST_HTTP_ERROR = 400
"""RFC 9110, 15: a status from here on says that the request failed."""


class Content(NamedTuple):
    """What the payload of a flow holds of one message."""

    headers: tuple[tuple[str, str], ...]
    """Names and values as they were sent; of HTTP/2 with `:method`, `:path`…"""
    body: bytes
    """Its first bytes, without framing; those of HTTP/2 are not kept."""

    def header(self, name: str) -> str:
        """Return the value of the first field of this name, in lower case; empty: none."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Exchange(NamedTuple):
    """One request and its response, as one process of the session sent or received them."""

    id: int
    """Of the event of the request; of the response, if there is none of the request."""
    pid: int
    proc: str
    channel: int
    """Of the flow (`FlowRecord.channel`)."""
    side: str
    """client or server: what this process is; empty: not known."""
    started_ns: int
    """When the request began, Unix time in ns."""
    duration_us: int | None
    """From the request to the response; None: there is none, or its request was not seen."""
    request: dict[str, Json] | None
    """The data of the event http.req; None: there is none."""
    response: dict[str, Json] | None
    """The data of the event http.resp; None: there is none."""
    request_content: Content | None
    """None: not recorded. So is `response_content`."""
    response_content: Content | None

    def fact(self, name: str) -> Json:
        """Return a field of the request, which its response may repeat; None: not there."""
        first, second = self.request or {}, self.response or {}
        return first.get(name, second.get(name))

    @property
    def url(self) -> str:
        """The URL that was asked for, as far as it is known."""
        return url_of({**(self.response or {}), **(self.request or {})}, self.side)

    @property
    def status(self) -> int | None:
        """The status of the response; None: there was none."""
        status = self.response.get("http_status_code") if self.response else None
        return status if isinstance(status, int) else None


def url_of(data: Mapping[str, Json], side: str = "client") -> str:
    """Return the URL that a request was for, as far as the data of http.req or http.resp has it."""
    target = str(data.get("http_target") or "")
    if "://" in target or data.get("http_method") == "CONNECT":
        return target
    return f"{data.get('http_scheme') or 'http'}://{_host(data, side)}{target}"


def _host(data: Mapping[str, Json], side: str) -> str:
    """Return the value of `Host`, or else the address of the server."""
    if data.get("http_host"):
        return str(data["http_host"])
    end = "host" if side == "server" else "peer"
    host, port = str(data.get(f"net_{end}_ip") or ""), data.get(f"net_{end}_port")
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{port}" if port else host
