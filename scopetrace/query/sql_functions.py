"""SQL functions that are added to a connection: regexp, basename, has_text.

sqlite3 reports an exception in a function only as "user-defined function raised exception". So each
function appends its exception to a list first, also KeyboardInterrupt.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from typing import Any

_SLOW_DECODER_CALLS = 2_000
"""After so many texts, importing the faster decoder pays off."""


class JsonDecoder:
    """`json.loads` at first, then msgspec's decoder, which is several times as fast.

    msgspec rejects lone surrogates; `json.loads` decodes such texts.
    """

    def __init__(self) -> None:
        self._decode: Callable[[str], Any] = json.loads
        self._calls = 0

    def __call__(self, text: str) -> Any:
        """Return the value of a JSON text."""
        self._calls += 1
        if self._calls == _SLOW_DECODER_CALLS:
            self._decode = _fast_decoder()
        return self._decode(text)


def _fast_decoder() -> Callable[[str], Any]:
    from msgspec import DecodeError
    from msgspec.json import Decoder

    fast = Decoder().decode

    def decode(text: str) -> Any:
        try:
            return fast(text)
        except DecodeError:
            return json.loads(text)

    return decode


def add_functions(db: sqlite3.Connection) -> list[BaseException]:
    """Add the functions to a connection; return the list to which they append their exceptions.

    regexp(pattern, value): called by `value REGEXP pattern`; Python's syntax, unanchored.
    basename(path): the part after the last slash.
    has_text(data, text): whether a value in the JSON `data` contains the JSON string `text`.
    """
    failures: list[BaseException] = []
    decode = JsonDecoder()
    wanted: dict[str, str] = {}

    def has_text(data: str, text: str) -> bool:
        if text not in wanted:
            wanted[text] = json.loads(text)
        return _contains(decode(data), wanted[text])

    functions: dict[str, tuple[int, Callable[..., Any]]] = {
        "regexp": (2, _regexp),
        "basename": (1, _basename),
        "has_text": (2, has_text),
    }
    for name, (count, function) in functions.items():
        db.create_function(name, count, _recording_failures(function, failures), deterministic=True)
    return failures


def add_quick_functions(db: sqlite3.Connection) -> bool:
    """Add `json_field` and `has_bytes` (ext/sql_functions.h) to a connection, unless it has them.

    Returns:
        Whether it has them: not every sqlite3 loads what is written in C.
    """
    try:
        db.execute("SELECT has_bytes('', '')")
    except sqlite3.OperationalError:
        from scopetrace import _scan

        try:
            _scan.add_functions(db, _scan.__file__)
        except (sqlite3.Error, AttributeError):
            return False
    return True


def has_bytes(db: sqlite3.Connection) -> str:
    """Return the name of the function that says whether a text contains another."""
    return "has_bytes" if add_quick_functions(db) else "instr"


def _recording_failures(
    function: Callable[..., Any], failures: list[BaseException]
) -> Callable[..., Any]:
    def wrapper(*values: Any) -> Any:
        try:
            return function(*values)
        except BaseException as error:
            failures.append(error)
            raise

    return wrapper


def _regexp(pattern: Any, value: Any) -> bool | None:
    if pattern is None or value is None:
        return None
    return re.search(_text(pattern), _text(value)) is not None


def _basename(path: Any) -> str | None:
    return None if path is None else _text(path).rstrip("/").rpartition("/")[2] or "/"


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _contains(value: Any, text: str) -> bool:
    """Return whether a string in a JSON value, or a number as JSON writes it, contains `text`."""
    if isinstance(value, str):
        return text in value
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return any(_contains(item, text) for item in items)
    return value is not None and text in str(value).lower()
