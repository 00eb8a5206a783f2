"""One value of an event's data as text, escaped."""

from __future__ import annotations

from typing import Any

from scopetrace.output.escape import escape


def show_value(value: Any) -> str:
    """Return `value` on one line; items of a list are quoted if needed, whole floats integers."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else f"{value:g}"
    if isinstance(value, list):
        return " ".join(quote(show_value(item)) for item in value)
    return _show_other(value)


def _show_other(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    import json

    return escape(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def quote(shown: str) -> str:
    """Return an escaped value in quotes if it is empty or contains a space."""
    if shown and " " not in shown:
        return shown
    escaped = shown.replace('"', '\\"')
    return f'"{escaped}"'
