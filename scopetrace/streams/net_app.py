"""What a flow speaks, told: the one event that recognising and reading protocols share."""

from __future__ import annotations

from typing import Any

from scopetrace.model.flow import Flow
from scopetrace.model.flow_fields import flow_fields
from scopetrace.model.image import Image
from scopetrace.source import Outlet

NET, SOURCE = "net", "net.app"
TLS = "TLS"


def tell_spoken(
    outlet: Outlet, image: Image, time_ns: int, tid: int, flow: Flow, protocol: str,
    details: dict[str, Any],
) -> bool:  # fmt: skip
    """Emit a net.app if it is wanted, and say whether it is; `details` are more of its fields."""
    if not image.rules.wants(NET, SOURCE):
        return False
    data = {"protocol": protocol, "fd": flow.fd, **flow_fields(flow), **details}
    outlet.emit(image, time_ns, tid, NET, SOURCE, flow.opened_ns, data)
    return True
