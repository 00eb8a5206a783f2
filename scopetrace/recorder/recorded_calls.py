"""The calls that a configuration has recorded whole, as the engine takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scopetrace.config.schema import Config
    from scopetrace.syscalls.call_set import WholeCalls


def recorded_calls(config: Config) -> WholeCalls | None:
    """Return which calls are recorded whole; the table of calls is read only if any is."""
    if not config.scopetrace.syscalls:
        return None
    from scopetrace.syscalls.call_set import whole_calls

    found = config.scopetrace
    return whole_calls(found.syscalls, found.syscallsnaplen, found.environment)
