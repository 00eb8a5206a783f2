"""AppView's report: the peers and the files of a session, one to a row, with their bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scopetrace.model.file_record import FileRecord
from scopetrace.model.flow_record import FLOW_FIELDS, FlowRecord
from scopetrace.output.answers import Column, terminal_table
from scopetrace.output.units import format_duration, format_size

NETWORK, FILES = "Network Activity", "File Activity"
NETWORK_COLUMNS = (
    Column("IP"),
    Column("PORT", right=True),
    Column("DURATION", right=True),
    Column("BYTES SENT", right=True),
    Column("BYTES RECEIVED", right=True),
    Column("URL"),
)
FILE_COLUMNS = (
    Column("BYTES READ", right=True),
    Column("BYTES WRITTEN", right=True),
    Column("FILE"),
)
NETWORK_FIELDS = ("url", "ip", "port", "duration", "bytes_sent", "bytes_received")
FILE_FIELDS = ("file", "bytes_read", "bytes_written")
UNKNOWN = "-"


def network_bodies(
    flows: Iterable[FlowRecord], hosts: Mapping[tuple[str, int], str]
) -> list[dict[str, Any]]:
    """Return a row for each peer of an IP network, with the sums of its flows; durations are ns.

    `hosts` says which name was asked for in requests to an address and port.
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for flow in flows:
        ip, port = (FLOW_FIELDS[f"net_peer_{name}"](flow) for name in ("ip", "port"))
        if ip is None or not flow.transport.startswith("IP."):
            continue
        row = rows.setdefault(
            (ip, port),
            {
                "url": hosts.get((ip, port), UNKNOWN),
                "ip": ip,
                "port": port,
                "duration": 0,
                "bytes_sent": 0,
                "bytes_received": 0,
            },
        )
        row["duration"] += flow.duration_ns or 0
        row["bytes_sent"] += flow.bytes_sent or 0
        row["bytes_received"] += flow.bytes_recv or 0
    return list(rows.values())


def file_bodies(files: Iterable[FileRecord]) -> list[dict[str, Any]]:
    """Return a row for each file whose bytes were read or written."""
    return [
        {
            "file": file.path,
            "bytes_read": file.read_bytes,
            "bytes_written": file.written_bytes,
        }
        for file in files
        if file.read_ops or file.written_ops
    ]


def network_table(bodies: Iterable[Mapping[str, Any]], width: int | None) -> str:
    """Return the table of peers."""
    rows = (
        (
            body["ip"],
            body["port"],
            format_duration(body["duration"]),
            format_size(body["bytes_sent"]),
            format_size(body["bytes_received"]),
            body["url"],
        )
        for body in bodies
    )
    return terminal_table(NETWORK_COLUMNS, rows, width)


def file_activity_table(bodies: Iterable[Mapping[str, Any]], width: int | None) -> str:
    """Return the table of files."""
    rows = (
        (format_size(body["bytes_read"]), format_size(body["bytes_written"]), body["file"])
        for body in bodies
    )
    return terminal_table(FILE_COLUMNS, rows, width)
