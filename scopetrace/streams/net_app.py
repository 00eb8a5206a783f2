"""The event net.app: a protocol was recognised in a flow, or found within another one (gRPC)."""

from __future__ import annotations

from typing import Any

from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import flow_fields
from scopetrace.model.image import Image
from scopetrace.source import Outlet

NET, SOURCE = "net", "net.app"
TLS = "TLS"


def emit_net_app(
    outlet: Outlet,
    image: Image,
    time_ns: int,
    tid: int,
    flow: Flow,
    protocol: str,
    details: dict[str, Any],
) -> bool:
    """Emit a net.app with more fields (`details`) if it is wanted; return whether it is."""
    if not image.rules.wants(NET, SOURCE):
        return False
    data = {"protocol": protocol, "fd": flow.fd, **flow_fields(flow), **details}
    outlet.emit(image, time_ns, tid, NET, SOURCE, flow.opened_ns, data)
    return True
