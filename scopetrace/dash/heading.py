"""The lines above the rows: which session, which view, and what it is narrowed to. Escaped."""

from __future__ import annotations

from scopetrace.dash.place import Place, title
from scopetrace.dash.views import TABS
from scopetrace.model.session import SessionInfo
from scopetrace.output.answers import shorten_middle
from scopetrace.output.escape import escape
from scopetrace.output.status import describe_status
from scopetrace.output.width import shorten


def session_line(info: SessionInfo, width: int) -> str:
    """Return the number of a session, how it ended, and its command."""
    return shorten(
        f"session {info.id}: {describe_status(info)}: {escape(' '.join(info.args))}", width
    )


def tabs(place: Place) -> list[tuple[str, bool]]:
    """Return the name of each view with its key, and whether it is the present one."""
    return [(f" {at} {view.name} ", view.name == place.view) for at, view in enumerate(TABS, 1)]


def place_line(place: Place, width: int) -> str:
    """Return what a place is narrowed to, filtered by and sorted by."""
    parts = [escape(title(place.scope))]
    if place.match:
        parts.append(f"contains: {escape(place.match)}")
    if place.sort:
        parts.append(f"sorted by {place.sort}")
    if place.reverse:
        parts.append("reversed")
    return shorten_middle("  ".join(filter(None, parts)), width)
