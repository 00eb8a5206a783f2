"""Named tuples, made of fields that are a tuple already."""

from __future__ import annotations

from typing import TypeVar

Named = TypeVar("Named", bound=tuple)  # type: ignore[type-arg]


def build(named: type[Named], fields: tuple[object, ...]) -> Named:
    """Return a named tuple of all its fields, in less time than a call of its class takes.

    Compiled modules have the same in C (`named.pxd`), in a fifth of the time.
    """
    return tuple.__new__(named, fields)
