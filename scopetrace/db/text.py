"""Text in the session file is lossless, valid to SQLite, and the same both ways.

Names and messages are bytes; `os.fsdecode` made those that are no UTF-8 into lone surrogates. In
a JSON text such a surrogate is an escape (`\\udcff`), so that the text itself is always good UTF-8;
in a column of its own it is the three bytes that UTF-8 would have for it, which is also what SQLite
makes of the escape. Whoever reads text here decodes it with `decode_text`.
"""

from __future__ import annotations

import json
from typing import Any


def encode_json(value: Any) -> str:
    """Return `value` as JSON, escaping what JSON demands and lone surrogates, nothing else.

    Character for character the same as msgspec's encoder for all that msgspec can encode, so that
    a text can be searched for without knowing which of the two wrote it.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace").decode()


def bindable(text: str) -> str | bytes:
    """Return `text` as something `CAST(? AS TEXT)` stores: bytes if it has lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def place_for(value: Any) -> str:
    """Return the SQL that stands where `stored(value)` is to go."""
    return "CAST(? AS TEXT)" if isinstance(value, str | tuple | dict) else "?"


def stored(value: Any) -> Any:
    """Return a field of a Process or SessionInfo as its column holds it."""
    if isinstance(value, str):
        return bindable(value)
    return encode_json(value) if isinstance(value, tuple | dict) else value


def decode_text(text: bytes) -> str:
    """Return text of the session file as it was before it was stored; a `text_factory`.

    A file that someone damaged is no reason to fail: any other bytes become surrogates too.
    """
    try:
        return text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return text.decode("utf-8", "surrogateescape")
