"""What the configuration wants of any process: the rules, with `custom` applied to each."""

from __future__ import annotations

from scopetrace.config.merge import apply_custom
from scopetrace.config.schema import Config, Custom, Filter
from scopetrace.watch.filters import ProcessFacts, is_about
from scopetrace.watch.rules import ALWAYS, Rules


class Watch:
    """The rules of one configuration, for all processes of a session."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._by_entries: dict[tuple[int, ...], Rules] = {}
        self._possible = _possible(config)
        self.needs_environment: bool = config.scopetrace.environment or any(
            entry.filter.env is not None for entry in config.custom
        )
        """Whether the environment of programs must be read: to record it, or for a filter."""

    def for_process(self, facts: ProcessFacts) -> Rules:
        """Return the rules for a process; the same object whenever the same entries apply."""
        custom = self.config.custom
        entries = tuple([at for at, entry in enumerate(custom) if is_about(entry.filter, facts)])
        found = self._by_entries.get(entries)
        if found is None:
            found = self._by_entries[entries] = self._rules(entries)
        return found

    def could_want(self, sourcetype: str, source: str | None = None) -> bool:
        """Return whether any process could have such an event wanted.

        Errs towards yes. For `file`, `source` is a path; None: of any source.
        """
        if source is None:
            return any(rules.watches(sourcetype) for rules in self._possible)
        return sourcetype == ALWAYS or any(
            rules.wants(sourcetype, source) for rules in self._possible
        )

    def could_measure(self, kind: str, verbosity: int = 0) -> bool:
        """Return whether metrics of a type could be wanted of any process, in such detail."""
        return any(kind in rules.measures for rules in self._possible) and any(
            rules.config.metric.format.verbosity >= verbosity for rules in self._possible
        )

    @property
    def could_keep(self) -> bool:
        """Whether the payloads of any process could be wanted."""
        return any(rules.may_keep for rules in self._possible)

    @property
    def failures(self) -> str:
        """How much is watched for failures alone: none, rare or all."""
        return self.config.scopetrace.failures

    def _rules(self, entries: tuple[int, ...]) -> Rules:
        return Rules(apply_custom(self.config, [self.config.custom[index] for index in entries]))


def _possible(config: Config) -> list[Rules]:
    """Return rules that together want all that any combination of entries could want.

    Lists are replaced as a whole, so each one that can hold is one of those written; and if any
    configuration has a section enabled, each list could meet it.
    """
    chosen: list[list[Custom]] = [[], *([entry] for entry in config.custom)]
    alone = [apply_custom(config, entries) for entries in chosen]
    enabled = {
        name: {"enable": True}
        for name in ("event", "metric", "payload")
        if any(getattr(each, name).enable for each in alone)
    }
    most = Custom(name="", filter=Filter(), config=enabled)
    return [Rules(apply_custom(config, [*entries, most])) for entries in chosen]
