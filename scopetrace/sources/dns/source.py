"""Dns: names that programs ask for, the answers, and questions without an answer.

Names that a program resolves without DNS of its own leave no event. A notice reports that it did:
it asked a resolver service of this machine, or it read the file of hosts and sent no question.
"""

from __future__ import annotations

from typing import ClassVar

from scopetrace.model.flow import Flow
from scopetrace.model.image import Image
from scopetrace.model.operation import FlowOpened, ImageEnded, Opened
from scopetrace.source import FLOW_CALLS, Handlers, Mode, Needs, Outlet, Reader, Source
from scopetrace.sources.dns.names import DNS, PROTOCOL, UNKNOWN

EVENTS = ("dns.req", "dns.resp", "dns.error")

RESOLVERS = {
    "/run/systemd/resolve/io.systemd.Resolve": "systemd-resolved",
    "/var/run/nscd/socket": "nscd",
    "/run/nscd/socket": "nscd",
    "/run/avahi-daemon/socket": "avahi",
    "/var/run/avahi-daemon/socket": "avahi",
}
"""Path of a socket → the resolver service that answers there."""

HOSTS = "/etc/hosts"


class DnsSource(Source):
    """Makes dns.* events."""

    sourcetype = DNS
    measures = DNS
    needs: ClassVar[Needs] = {name: {**FLOW_CALLS, "open": Mode.ALL} for name in EVENTS}

    def __init__(self, outlet: Outlet) -> None:
        super().__init__(outlet)
        self._reported: dict[Image, set[str]] = {}
        """The paths of resolver sockets that there was a notice of."""
        self._read_hosts: dict[Image, Opened] = {}
        """The last open of the file of hosts by a process that has sent no question since."""

    def handlers(self) -> Handlers:
        """Return what this source does with operations."""
        return {
            FlowOpened: self._flow_opened,
            Opened: self._opened,
            ImageEnded: self._ended,
        }

    def reader(self, image: Image, flow: Flow, protocol: str) -> Reader | None:
        """Return a reader for a flow of DNS, if anything of it is wanted."""
        if protocol != PROTOCOL or not self._wants(image):
            return None
        # Takes time to import, which only programs that speak DNS should cost.
        from scopetrace.protocols.dns.questions import PendingQuestions
        from scopetrace.sources.dns.reader import DnsReader

        pending = flow.socket_shared.get(DNS)
        if not isinstance(pending, PendingQuestions):
            pending = flow.socket_shared[DNS] = PendingQuestions(image.rules.flow_memory)
        return DnsReader(self.outlet, flow, pending, self._asked)

    def _wants(self, image: Image) -> bool:
        rules = image.rules
        return DNS in rules.measures or any(rules.wants(DNS, name) for name in EVENTS)

    def _asked(self, image: Image) -> None:
        self._read_hosts.pop(image, None)

    def _flow_opened(self, operation: FlowOpened) -> None:
        peer, image = operation.flow.peer, operation.image
        if peer is None:
            operation.flow.socket_shared[UNKNOWN] = operation.flow
        if peer is None or peer.family != "unix" or peer.host not in RESOLVERS:
            return
        self._asked(image)
        reported = self._reported.setdefault(image, set())
        if image.rules.watches(DNS) and peer.host not in reported:
            reported.add(peer.host)
            message = (
                f"{image.proc} ({image.pid}) asked {RESOLVERS[peer.host]} at {peer.host}: names"
                " that it resolves there are resolved elsewhere and leave no dns events"
            )
            self._report(image, operation.time_ns, operation.tid, message)

    def _opened(self, operation: Opened) -> None:
        if operation.file.path == HOSTS and operation.image.rules.watches(DNS):
            self._read_hosts[operation.image] = operation

    def _ended(self, operation: ImageEnded) -> None:
        image = operation.image
        self._reported.pop(image, None)
        read = self._read_hosts.pop(image, None)
        if read is not None:
            message = (
                f"{image.proc} ({image.pid}) read {HOSTS} and asked no DNS server after that: names"
                " that it found there leave no dns events"
            )
            self._report(image, operation.time_ns, read.tid, message)

    def _report(self, image: Image, time_ns: int, tid: int, message: str) -> None:
        self.outlet.notice(image, time_ns, tid, message, "resolved-elsewhere", 1)
