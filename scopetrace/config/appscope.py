"""Values of AppScope's configuration files that scopetrace lacks: translated, with a warning.

A file is not rejected because it is for an old version of AppScope or uses features that scopetrace
lacks. An unknown key is still an error: it is probably mistyped.
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
"""Old name of a format → its present name."""

_FORMATS: dict[str, tuple[str, ...]] = {
    "metric": get_args(MetricFormatType),
    "event": get_args(EventFormatType),
}
_RULES: dict[str, tuple[str, ...]] = {"metric": get_args(MetricType), "event": get_args(EventType)}


def adapt_appscope(document: Document) -> tuple[Document, list[str]]:
    """Return the tree with AppScope's values translated or left out, and a warning for each."""
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
        """Rename an old format; for an unknown one use the default."""
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
        """Turn off a transport of an unknown type; rename `buffer` to `buffering`."""
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
        """Leave out rules of an unknown type; turn a single header into a list."""
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
