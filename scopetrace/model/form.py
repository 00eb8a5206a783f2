"""Forms: the names of the fields that events of a kind have, for events of which there are many.

A dict with a dozen fields takes longer to fill, to go through and to free than all else that is
done with an event. So the data of such an event is a form that is filled in: a tuple of the form
and a value for each of its names, None where the event has no such field. In the place of the name
`MORE` is a dict of further fields.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MORE = ""


class Form(NamedTuple):
    """The fields that an event may have, in their order."""

    names: tuple[str, ...]
    starts: tuple[bytes, ...]
    """What JSON has before the value of each (ext/_inserts.pyx); nothing before further fields."""


Data = dict[str, Any] | tuple[Any, ...]
"""The data of an event: its fields by their names, or a form that is filled in."""


def form(*names: str) -> Form:
    """Return the form of these fields."""
    starts = (f"{json.dumps(name)}:".encode() if name != MORE else b"" for name in names)
    return Form(names, tuple(starts))


def fields_of(data: Data) -> dict[str, Any]:
    """Return the fields of an event by their names."""
    if isinstance(data, dict):
        return data
    shown: Form = data[0]
    fields: dict[str, Any] = {}
    for name, value in zip(shown.names, data[1:], strict=True):
        if value is not None:
            fields.update(value if name == MORE else {name: value})
    return fields
