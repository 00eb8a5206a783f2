"""The table of views: their order is that of their keys, 1 to 9."""

from __future__ import annotations

from scopetrace.dash.events import ErrorsView, EventsView, EventView
from scopetrace.dash.files import FilesView
from scopetrace.dash.logs import LogsView
from scopetrace.dash.network import NetworkView
from scopetrace.dash.processes import ProcessesView
from scopetrace.dash.timeline import TimelineView
from scopetrace.dash.view import View

TABS = (
    ProcessesView,
    FilesView,
    NetworkView,
    ErrorsView,
    LogsView,
    TimelineView,
    EventsView,
)
"""Those that a key selects; one event is shown only by narrowing."""
FIRST = ProcessesView.name


def make_views() -> dict[str, View]:
    """Return one of each view by name; they keep what they read, for one thread only."""
    return {kind.name: kind() for kind in (*TABS, EventView)}
