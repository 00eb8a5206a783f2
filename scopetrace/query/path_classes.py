"""The class of a path: whether a file is a program's own, or belongs to its start-up.

Most files that a program opens are shared libraries, locales and the standard library of its
interpreter. Views show the class `own` first and count the rest. The rules are regular expressions
of scope.yml (`pathclasses`), searched for in the absolute path; the first class that has one wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from scopetrace.model.file_record import OWN
from scopetrace.query.recorded_config import config_section


class PathClasses:
    """Rules of `pathclasses`, applied.

    Args:
        rules: class → regular expressions, in the order in which they are tried.
    """

    def __init__(self, rules: Mapping[str, Sequence[str]]) -> None:
        self._patterns = [
            (name, re.compile("|".join(f"(?:{text})" for text in texts)))
            for name, texts in rules.items()
            if texts
        ]
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """Return the class of an absolute path."""
        found = self._known.get(path)
        if found is None:
            found = next((name for name, rule in self._patterns if rule.search(path)), OWN)
            self._known[path] = found
        return found


def read_path_classes(config: str) -> PathClasses:
    """Return the rules of a configuration in YAML; without any, all paths are the program's own."""
    return PathClasses(config_section(config, "scopetrace", "pathclasses"))
