"""Named tuples, made of fields that are a tuple already."""

from __future__ import annotations

from typing import TypeVar

Named = TypeVar("Named", bound=tuple)  # type: ignore[type-arg]


def build(named: type[Named], fields: tuple[object, ...]) -> Named:
    """Return a named tuple of all its fields, in less time than a call of its class takes.

    Compiled modules have the same in C (`named.pxd`), in a fifth of the time.
    """
    return tuple.__new__(named, fields)


def values(named: Named) -> Named:
    """Return a named tuple that is to be taken apart, which is a plain tuple to compiled modules.

    Those go through any other object of a class of its own one by one, as if it were a list.
    """
    return named
