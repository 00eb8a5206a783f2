"""The environments of the first programs of two sessions: which variables differ.

They are recorded only if the configuration says so (`environment`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scopetrace.model.difference import (
    CONTENT,
    ENVIRONMENT,
    ONLY_A,
    ONLY_B,
    PROCESS,
    Difference,
)
from scopetrace.query.diff.names import Names

OF_THE_SHELL = frozenset(("_", "OLDPWD", "PWD", "SHLVL"))
"""Variables that say how a shell came to start the program."""


def compare_environments(
    a: Mapping[str, str], b: Mapping[str, str], names: tuple[Names, Names]
) -> Iterator[Difference]:
    """Yield the variables that differ; nothing if only one environment was recorded."""
    if not a or not b:
        return
    for variable in sorted((a.keys() | b.keys()) - OF_THE_SHELL):
        first = names[0].text(a[variable]) if variable in a else None
        second = names[1].text(b[variable]) if variable in b else None
        if first != second:
            change = ONLY_A if second is None else ONLY_B if first is None else CONTENT
            yield Difference(change, PROCESS, ENVIRONMENT, variable, first, second)
