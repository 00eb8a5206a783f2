"""What a reader of a flow needs around it: an outlet that keeps, images with rules, and cuts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.model.flow import Address, Flow
from scopetrace.model.form import Data, fields_of
from scopetrace.model.image import Image
from scopetrace.model.metric import TAGS
from scopetrace.source import Outlet
from scopetrace.watch.rules import Rules

CLIENT = Address("inet", "10.0.0.1", 40000)
MS = 1_000_000


class KeepingOutlet(Outlet):
    """Keeps what sources say."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.heads: list[tuple[Image, int, int, str, int]] = []
        """Image, time, tid, sourcetype and channel of each event."""
        self.notices: list[tuple[str, int, str]] = []
        self.measures: list[tuple[str, float, dict[str, Any]]] = []
        self.own: list[tuple[str, str, float, dict[str, str]]] = []

    def emit(
        self,
        image: Image,
        time_ns: int,
        tid: int,
        sourcetype: str,
        source: str,
        channel: int,
        data: Data,
    ) -> None:
        self.heads.append((image, time_ns, tid, sourcetype, channel))
        self.events.append((source, fields_of(data)))

    def notice(
        self, image: Image, time_ns: int, tid: int, message: str, reason: str, count: int
    ) -> None:
        self.notices.append((reason, count, message))

    def measure_with(
        self,
        image: Image,
        time_ns: int,
        name: str,
        value: float,
        numops: int,
        tags: tuple[Any, ...],
    ) -> None:
        named = zip(TAGS[name], tags, strict=True)
        known = {tag: text for tag, text in named if text is not None}
        self.measures.append((name, value, known))

    def measure_own(
        self, image: Image, time_ns: int, name: str, type: str, value: float, tags: dict[str, str]
    ) -> None:
        self.own.append((name, type, value, tags))

    def of(self, source: str) -> list[dict[str, Any]]:
        """Return the data of the events of a source."""
        return [data for name, data in self.events if name == source]


def rules(text: str) -> Rules:
    """Return the rules of a scope.yml."""
    return Rules(build_config(Found(Path("scope.yml"), text), {}))


def image(chosen: Rules, pid: int = 70, proc: str = "dig") -> Image:
    """Return a process that these rules are for."""
    made = Image(pid, pid, 1, 0)
    made.proc = proc
    made.rules = chosen
    return made


def udp_flow(peer: Address, local: Address = CLIENT, role: str = "client") -> Flow:
    return Flow("IP.UDP", local, peer, role, 5)


def tcp_flow(peer: Address, local: Address = CLIENT, role: str = "client") -> Flow:
    return Flow("IP.TCP", local, peer, role, 5)


@st.composite
def cuts(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Cut bytes into pieces, none of them empty."""
    places = draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=8))
    return pieces(data, places)


def pieces(data: bytes, places: Iterable[int]) -> list[bytes]:
    """Return bytes cut at these places."""
    bounds = [0, *sorted(places), len(data)]
    found = [data[a:b] for a, b in pairwise(bounds)]
    return [piece for piece in found if piece]


def bytewise(data: bytes) -> list[bytes]:
    """Return bytes one by one."""
    return [data[at : at + 1] for at in range(len(data))]
