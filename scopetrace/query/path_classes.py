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

_TOKEN = re.compile(r"\\.|\[\^?\]?|.", re.DOTALL)
"""One character of a regular expression, an escaped one, or the beginning of a set."""
_NOT_IN_PARTS = re.compile(r"\(\?|\\[1-9]")
"""What may be about several parts: flags, names and numbers of groups."""
_LEAD = re.compile(r"\^?/(?![*+?{])")
"""What most patterns begin with."""
_NEVER = "(?!)"
_MOST_KNOWN = 10_000
"""Paths whose classes are remembered."""


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
        parts = [part for texts in rules.values() for text in texts for part in alternatives(text)]
        self._at_start = _any_of([part for part in parts if part.startswith("^")])
        self._anywhere = _any_of([part for part in parts if not part.startswith("^")])
        self._known: dict[str, str] = {}

    def of(self, path: str) -> str:
        """Return the class of an absolute path."""
        found = self._known.get(path)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[path] = self._find(path)
        return found

    def _find(self, path: str) -> str:
        """Return the class; most paths are the program's own, which one look at all rules says."""
        if not (self._at_start.match(path) or self._anywhere.search(path)):
            return OWN
        return next((name for name, rule in self._patterns if rule.search(path)), OWN)


def alternatives(pattern: str) -> list[str]:
    """Return regular expressions of which one matches wherever `pattern` does.

    They are its parts between `|`. In an expression of such parts, `re` finds the places to look at
    by the characters that they begin with; those that begin with `^` are for `match`.
    """
    if _NOT_IN_PARTS.search(pattern):
        return [""]
    parts, depth, in_set = [""], 0, False
    for token in _TOKEN.findall(pattern):
        if token == "|" and not depth and not in_set:
            parts.append("")
            continue
        parts[-1] += token
        if in_set:
            in_set = not token.endswith("]") or token.startswith("\\")
        else:
            in_set = token.startswith("[")
            depth += (token == "(") - (token == ")")
    return parts


def _any_of(patterns: Sequence[str]) -> re.Pattern[str]:
    """Return what matches where one of them does.

    Those that begin with a slash are tried together: where there is one, `re` passes over those
    whose next character is another one without a try.
    """
    groups: dict[str, list[str]] = {}
    for pattern in patterns:
        lead = _LEAD.match(pattern)
        groups.setdefault(lead[0] if lead else "", []).append(pattern[lead.end() if lead else 0 :])
    parts = (f"{lead}(?:{'|'.join(rest)})" for lead, rest in groups.items())
    return re.compile("|".join(parts) if patterns else _NEVER)


def read_path_classes(config: str) -> PathClasses:
    """Return the rules of a configuration in YAML; without any, all paths are the program's own."""
    return PathClasses(config_section(config, "scopetrace", "pathclasses"))
