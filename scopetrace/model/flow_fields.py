"""The fields of events that say between whom a flow is: net_transport, net_peer_ip…"""

from __future__ import annotations

from typing import Any

from scopetrace.model.flow import Address, Flow

ENDS = (("net_peer", "unix_peer"), ("net_host", "unix_local"))
"""What the fields of the far and the near end begin with, for network and for unix sockets."""


def flow_fields(flow: Flow) -> dict[str, Any]:
    """Return net_transport and the fields of both addresses, as far as they are known.

    And what else is known of the flow (`Flow.facts`). The caller may not change them: they are the
    same for all its events.
    """
    fields = flow.fields
    if fields is None:
        fields = address_fields(flow.transport, flow.local, flow.peer, flow.peer_name)
        fields.update(flow.facts)
        flow.fields = fields
    return fields


def address_fields(
    transport: str, local: Address | None, peer: Address | None, peer_name: str = ""
) -> dict[str, Any]:
    """Return net_transport, net_peer_name, net_peer_ip, net_peer_port, net_host_ip, net_host_port.

    Of packet sockets net_peer_interface and net_host_interface as well. Of unix sockets:
    unix_peer_path, unix_peer_bind_path, unix_peer_inode, unix_local_path, unix_local_bind_path and
    unix_local_inode.
    """
    fields: dict[str, Any] = {"net_transport": transport}
    if peer_name:
        fields["net_peer_name"] = peer_name
    for address, (network, unix) in zip((peer, local), ENDS, strict=True):
        if address is None:
            continue
        if address.family == "unix":
            fields.update(_unix_fields(unix, address))
        else:
            fields[f"{network}_ip"] = with_zone(address)
            fields[f"{network}_port"] = address.port
            if address.family == "packet" and address.interface:
                fields[f"{network}_interface"] = address.interface
    return fields


def _unix_fields(end: str, address: Address) -> dict[str, Any]:
    fields = {
        f"{end}_path": address.host,
        f"{end}_bind_path": address.bound,
        f"{end}_inode": address.inode,
    }
    return {name: value for name, value in fields.items() if value}


def with_zone(address: Address) -> str:
    """Return a host as text, of IPv6 with its zone (RFC 4007, section 11)."""
    if address.family == "inet6" and address.interface:
        return f"{address.host}%{address.interface}"
    return address.host


def peer_text(peer: Address | None) -> str:
    """Return the far end of a flow as notices name it: host:port, a path, or "its peer"."""
    if peer is None or not (peer.host or peer.port):
        return "its peer"
    if peer.family == "unix":
        return peer.host
    host = f"[{with_zone(peer)}]" if ":" in peer.host else peer.host
    return f"{host}:{peer.port}"
