from __future__ import annotations

import pytest

from scopetrace.streams.net_app import emit_net_app
from support.flow_reading import CLIENT, KeepingOutlet, image, rules, tcp_flow


@pytest.mark.parametrize(("name", "is_wanted"), [("net.app", True), ("net.open", False)])
def test_it_is_emitted_if_it_is_wanted(name, is_wanted):
    outlet, flow = KeepingOutlet(), tcp_flow(CLIENT)
    flow.fd = 4
    program = image(rules(f"event:\n  watch:\n  - {{type: net, name: ^{name}$}}\n"))

    assert emit_net_app(outlet, program, 9, 71, flow, "TLS", {"tls_version": "1.3"}) is is_wanted
    events = [(data["protocol"], data["fd"], data["tls_version"]) for _, data in outlet.events]
    assert events == ([("TLS", 4, "1.3")] if is_wanted else [])
    assert outlet.heads == ([(program, 9, 71, "net", flow.opened_ns)] if is_wanted else [])
