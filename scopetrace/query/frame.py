"""Events as a table of pandas, which is imported here alone: it is no dependency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scopetrace.errors import UsageError
from scopetrace.model.event import EventRecord

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = tuple(field for field in EventRecord._fields if field != "data")


def event_frame(events: Iterable[EventRecord]) -> DataFrame:
    """Return a row for each event; a field of the data that has a column's name is `data_NAME`.

    Raises:
        UsageError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UsageError("to_pandas needs pandas: pip install pandas") from None
    frame = pandas.DataFrame([_row(event) for event in events])
    if frame.empty:
        frame = pandas.DataFrame(columns=list(COLUMNS))
    frame.insert(0, "time", pandas.to_datetime(frame["time_ns"], unit="ns", utc=True))
    return frame


def _row(event: EventRecord) -> dict[str, Any]:
    row = {name: getattr(event, name) for name in COLUMNS}
    for name, value in event.data.items():
        row[f"data_{name}" if name in row or name == "time" else name] = value
    return row
