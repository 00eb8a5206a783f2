"""One value of an event's data as text, escaped."""

from __future__ import annotations

from typing import Any

from scopetrace.output.escape import escape


def show_value(value: Any) -> str:
    """Return `value` as one line: a list's items quoted if need be, whole floats as integers."""
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
    """Return an already shown value so that it ends where it seems to: quoted if it must be."""
    if shown and " " not in shown:
        return shown
    escaped = shown.replace('"', '\\"')
    return f'"{escaped}"'
