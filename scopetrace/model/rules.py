"""What is asked of the rules of a process: `watch.Rules` answers, made of the configuration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from scopetrace.model.event import Event


class TextRules(Protocol):
    """What the rules want of the text that is written to one file or console."""

    @property
    def allow_binary(self) -> bool:
        """Whether it may be no text."""

    @property
    def values(self) -> Sequence[object] | None:
        """Expressions, one of which is to be found in a line; None: all lines are wanted."""

    def fitting(self, text: str) -> str:
        """Return the lines of a text that are wanted."""


class ProtocolRule(Protocol):
    """A protocol that scope.yml says how to recognise."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def regex(self) -> str:
        """The expression that is searched for in the first bytes of a direction."""

    @property
    def binary(self) -> bool:
        """Whether that is searched for in the bytes as hexadecimal digits."""

    @property
    def len(self) -> int:
        """How many bytes it is searched for in."""

    @property
    def detect(self) -> bool:
        """Whether there is a net.app of it."""

    @property
    def payload(self) -> bool:
        """Whether the bytes of its flows are kept."""


class Rules(Protocol):
    """The rules of one process."""

    @property
    def choosy(self) -> Collection[str]:
        """Types of events that `admits` may change or refuse."""

    @property
    def enhancefs(self) -> bool:
        """Whether events of files say whose file it is."""

    @property
    def environment(self) -> bool:
        """Whether proc.start has the environment."""

    @property
    def flow_memory(self) -> int:
        """Bytes that may be held of a flow (`flowmemory`)."""

    @property
    def flow_snaplen(self) -> int:
        """Bytes that are recorded of one call that carries bytes of a flow (`flowsnaplen`)."""

    @property
    def http_headers(self) -> tuple[str, ...]:
        """Expressions for the headers that http events have."""

    @property
    def measures(self) -> Collection[str]:
        """Types of metrics that are recorded."""

    @property
    def most_per_second(self) -> int:
        """Events that the process may make in a second; 0: any number."""

    @property
    def payloads(self) -> bool:
        """Whether the bytes of every flow are kept."""

    @property
    def protocols(self) -> Sequence[ProtocolRule]:
        """Protocols that are recognised besides those with a signature, or instead."""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of all events and metrics."""

    @property
    def verbosity(self) -> int:
        """How many tags metrics have, 0 to 9."""

    def wants(self, sourcetype: str, source: str) -> bool:
        """Return whether an event of this name is wanted, whatever it will hold."""

    def watches(self, sourcetype: str) -> bool:
        """Return whether there is any rule for this type of event."""

    def console(self, stream: str) -> bool:
        """Return whether what is written to 'stdout' or 'stderr' is wanted."""

    def content(self, sourcetype: str, *names: str) -> TextRules | None:
        """Return what is wanted of the text of a file with these names; None: it is not wanted."""

    def admits(self, event: Event) -> Event | None:
        """Return the event as it is to be recorded, without unwanted fields; None: not at all."""
