"""How text is encoded in the session file: without loss, and valid for SQLite.

Names and messages are bytes; `os.fsdecode` turns bytes that are no UTF-8 into lone surrogates. In a
JSON text such a surrogate is an escape (`\\udcff`), so that the text itself is always valid UTF-8.
In a TEXT column it is the three bytes that UTF-8 would have for it, which is also what SQLite makes
of the escape. Readers decode with `decode_text`.
"""

from __future__ import annotations

import json
from typing import Any


def encode_json(value: Any) -> str:
    """Return `value` as JSON; only what JSON requires and lone surrogates are escaped.

    The result equals that of msgspec's encoder wherever msgspec can encode `value`, so that a text
    can be searched for whichever of the two wrote it; but for floats of 1e16 and more, which have
    another exponent there (1e16, here 1e+16).
    """
    return _ENCODER.encode(value).encode("utf-8", "backslashreplace").decode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def bindable(text: str) -> str | bytes:
    """Return `text` as something `CAST(? AS TEXT)` stores: bytes if it has lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def place_for(value: Any) -> str:
    """Return the SQL placeholder for `stored(value)`."""
    return "CAST(? AS TEXT)" if isinstance(value, (str, *_JSON)) else "?"


def stored(value: Any) -> Any:
    """Return a field of a Process or SessionInfo as its column holds it."""
    if isinstance(value, str):
        return bindable(value)
    return encode_json(value) if isinstance(value, _JSON) else value


_JSON = (tuple, dict)
"""Types of fields that are stored as JSON."""


def decode_text(text: bytes) -> str:
    """Decode a text of the session file; a `text_factory` of sqlite3.

    Bytes that no writer makes (the file is damaged) become surrogates too, rather than an error.
    """
    try:
        return text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return text.decode("utf-8", "surrogateescape")
