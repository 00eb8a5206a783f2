"""What files of AppScope say that is no value here is taken as they mean it, with a warning.

A file of AppScope's is never refused for its age or for what only AppScope knows. A key that nobody
knows is still an error: it is most likely mistyped.
"""

from __future__ import annotations

from typing import Any, get_args

from scopetrace.config.document import Document, Path
from scopetrace.config.schema import (
    EventFormatType,
    EventType,
    MetricFormatType,
    MetricType,
    TransportType,
)

_SPELLINGS = {"metricstatsd": "statsd", "expandedstatsd": "statsd", "metricjson": "ndjson"}
"""Formats by the names they had once → the name they have."""

_FORMATS: dict[str, tuple[str, ...]] = {
    "metric": get_args(MetricFormatType),
    "event": get_args(EventFormatType),
}
_RULES: dict[str, tuple[str, ...]] = {"metric": get_args(MetricType), "event": get_args(EventType)}


def adapted(document: Document) -> tuple[Document, list[str]]:
    """Return the tree with what is foreign in it changed or left out, and a warning for each."""
    adapter = _Adapter(document)
    for section in ("metric", "event"):
        adapter.adapt_format(section)
        adapter.adapt_transport(section)
        adapter.adapt_rules(section)
    return adapter.document, adapter.warnings


class _Adapter:
    """One pass over one tree, which it does not change in place."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.warnings: list[str] = []

    def adapt_format(self, section: str) -> None:
        """Give a format its present name, or leave one that is unknown to the defaults."""
        path = (section, "format", "type")
        text, known = self._at(path), _FORMATS[section]
        if not isinstance(text, str) or text in known:
            return
        new = _SPELLINGS.get(text)
        if new in known:
            self._warn(path, f"taken as {new}, its present name")
            self.document = self.document.with_value(path, new)
        else:
            self._warn(path, _unknown(text, known))
            self.document = self.document.with_value(path, None)

    def adapt_transport(self, section: str) -> None:
        """Send nothing in a way that is not known here, and know `buffer` by its present name."""
        path = (section, "transport")
        transport = self._at(path)
        if not isinstance(transport, dict):
            return
        kind, known = transport.get("type"), get_args(TransportType)
        if isinstance(kind, str) and kind not in known:
            self._warn((*path, "type"), f"nothing is sent: {_unknown(kind, known)}")
            self.document = self.document.with_value(path, {"type": "none"})
        elif "buffer" in transport:
            self._warn((*path, "buffer"), "taken as buffering, its present name")
            renamed = {"buffering": transport["buffer"], **transport}
            del renamed["buffer"]
            self.document = self.document.with_value(path, renamed)

    def adapt_rules(self, section: str) -> None:
        """Leave out rules of an unknown type; one header may stand there without a list."""
        path = (section, "watch")
        rules = self._at(path)
        if not isinstance(rules, list):
            return
        kept = []
        for index, rule in enumerate(rules):
            kind = rule.get("type") if isinstance(rule, dict) else None
            if isinstance(kind, str) and kind not in _RULES[section]:
                self._warn((*path, index, "type"), _unknown(kind, _RULES[section]))
            else:
                kept.append(index)
                self._adapt_headers((*path, index), rule)
        if len(kept) < len(rules):
            self.document = self.document.keeping(path, kept)

    def _adapt_headers(self, path: Path, rule: Any) -> None:
        headers = rule.get("headers") if isinstance(rule, dict) else None
        if isinstance(headers, str):
            self._warn((*path, "headers"), "taken as a list of one expression")
            self.document = self.document.with_value((*path, "headers"), [headers])

    def _at(self, path: Path) -> Any:
        data: Any = self.document.data
        for key in path:
            data = data.get(key) if isinstance(data, dict) else None
        return data

    def _warn(self, path: Path, what: str) -> None:
        self.warnings.append(self.document.sentence(path, what))


def _unknown(text: str, known: tuple[str, ...]) -> str:
    return f"ignored: expected one of {', '.join(sorted(known))}, got {text[:60]!r}"
