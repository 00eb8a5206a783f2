"""Destinations of events and metrics as one word: parsed, written and checked.

tcp://host:9109   udp://host:8125   tls://host:10090   host:10090 (tls)
unix:///path      unix://@name (abstract)              file:///path   a word or a path (file)
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopetrace.config.schema import Transport

EXAMPLES = "tcp://host:9109, udp://host:8125, tls://host:10090, unix:///path or file:///path"

_ENDPOINT = re.compile(r"(?:\[(?P<ipv6>[^\[\]]+)\]|(?P<name>[^\s:/\[\]@]+)):(?P<port>\d{1,5})")
_NETWORK = ("tcp", "udp", "tls")
_PATHS = ("unix", "file")
_PROGRAM_OUTPUT = re.compile(r"stdout|stderr|/dev/(?:std(?:in|out|err)|fd(?:/.*)?)|/proc/self/.*")
_UNIX_PATH_BYTES = 107
"""Bytes of a path that fit into `sun_path` (unix(7))."""


def parse_destination(text: str) -> dict[str, str]:
    """Return the keys of a `transport` for a destination; an empty text is type none.

    Raises:
        ValueError: It is not a destination; the message has examples.
    """
    kind, separator, rest = text.partition("://")
    if not separator:
        kind, rest = _guessed_kind(text), text
    if kind in _NETWORK and (found := _ENDPOINT.fullmatch(rest)):
        if 0 < int(found["port"]) <= 65_535:
            host = found["ipv6"] or found["name"]
            return {"type": kind, "host": host, "port": found["port"], "path": ""}
    elif kind == "none" or (kind in _PATHS and rest):
        if why := _why_no_path(kind, rest):
            raise ValueError(f"{text}: {why}")
        return {"type": kind, "host": "", "port": "0", "path": rest}
    if kind == "edge":
        raise ValueError("edge: scopetrace sends nothing to Cribl")
    raise ValueError(f"'{text}' is not a destination such as {EXAMPLES}")


def format_destination(transport: Transport) -> str:
    """Return a destination as `parse_destination` reads it."""
    kind = "tls" if transport.encrypted else transport.type
    if kind not in _NETWORK:
        return f"{kind}://{transport.path}" if kind in _PATHS else ""
    host = f"[{transport.host}]" if ":" in transport.host else transport.host
    return f"{kind}://{host}:{transport.port}"


def why_unusable(transport: Transport) -> tuple[str, str] | None:
    """Return which key of a `transport` is wrong, and why; None: all are right."""
    kind, path = transport.type, transport.path
    if kind in _NETWORK:
        return _why_no_endpoint(transport)
    if kind in _PATHS and not path:
        return "type", f"{kind} needs a path"
    why = _why_no_path(kind, path)
    return ("path", why) if why else None


def _why_no_path(kind: str, path: str) -> str:
    """Return why a path of this kind cannot be a destination; "" if it can."""
    if kind in _PATHS and "\0" in path:
        return "a path cannot contain a null character"
    if kind == "unix" and len(os.fsencode(path)) > _UNIX_PATH_BYTES:
        return f"the path of a unix socket has {_UNIX_PATH_BYTES} bytes at most"
    if kind == "file" and _PROGRAM_OUTPUT.fullmatch(path):
        return "it is the output of the program; for a file of that name write ./stdout"
    return ""


def _why_no_endpoint(transport: Transport) -> tuple[str, str] | None:
    if not transport.host or not transport.port:
        return "type", f"{transport.type} needs a host and a port"
    if not re.fullmatch(r"[^\s/\[\]@\x00]+", transport.host):
        return "host", "expected a name or an address, without port or brackets"
    return None


def _guessed_kind(text: str) -> str:
    """Return the type of a destination that has no `type://`, as AppScope guesses it."""
    if text in ("", "edge"):
        return text or "none"
    if _ENDPOINT.fullmatch(text):
        return "tls"
    return "file" if "/" in text or ":" not in text else ""
