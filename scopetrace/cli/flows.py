"""`scopetrace flows`: the flows of a session, or one in full, or its bytes."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.options import json_option, last_option, process_options, session_option
from scopetrace.cli.shell_complete import complete_flow_field
from scopetrace.errors import ScopeError, UsageError
from scopetrace.model.shown import print_to_stderr

if TYPE_CHECKING:
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.query import Session

LIST_OPTIONS = {
    "show_all": "--all",
    "last": "--last",
    "peer": "--peer",
    "pid": "--pid",
    "proc": "--proc",
    "sort": "--sort",
    "reverse": "--reverse",
}
"""Options that make no sense with the ID of one flow."""
DEFAULT_LAST = 20
"""Number of flows that are shown without -n and -a."""


def flow_number(text: str) -> int:
    """Return the number of a flow."""
    if not text.isdecimal():
        raise click.BadParameter(f"'{text}' is not the number of a flow")
    return int(text)


@click.command()
@click.argument("flow", type=flow_number, required=False, metavar="[ID]")
@session_option
@click.option(
    "--in", "received", is_flag=True, help="Print the bytes that flow ID received, unchanged."
)
@click.option("--out", "sent", is_flag=True, help="Print the bytes that flow ID sent, unchanged.")
@last_option(f"Show the N flows that were used last.  [default: {DEFAULT_LAST}]")
@click.option(
    "-a", "--all", "show_all", is_flag=True, help="Show all that match, not only the last 20."
)
@click.option(
    "--peer", multiple=True, metavar="CIDR", help="Only flows with these peers: 10.0.0.0/8, ::1..."
)
@process_options
@click.option(
    "-s",
    "--sort",
    metavar="FIELD",
    shell_complete=complete_flow_field,
    help="Order by this field (as in --json), the largest first.",
)
@click.option("-r", "--reverse", is_flag=True, help="Reverse the order.")
@json_option
def flows(flow: int | None, session_id: str | None, **options: Any) -> None:
    """Show the network flows of a session, or the bytes of one.

    A flow is a connection, or the datagrams between a socket and one peer. Instead of the ID of a
    flow you can give the number of any event of it. `scopetrace run -p` records the bytes.

    \b
    scopetrace flows                     the last 20 flows of the last session
    scopetrace flows --peer 10.0.0.0/8   those with a peer in this network
    scopetrace flows -s bytes_sent -n 5  the five that sent most
    scopetrace flows 12                  flow 12 with all its fields
    scopetrace flows 12 --out | xxd      the bytes that it sent
    """
    from scopetrace.query import open_session

    _refuse_contradictions(flow, options)
    with open_session(session_id) as session:
        if flow is None:
            _list(session, options)
        elif options["sent"] or options["received"]:
            _write_payload(session, session.flow(flow), outgoing=options["sent"])
        else:
            _show_one(session.flow(flow), as_json=options["as_json"])


def _refuse_contradictions(flow: int | None, options: dict[str, Any]) -> None:
    if options["sent"] and options["received"]:
        raise UsageError("--in and --out do not go together")
    if options["show_all"] and options["last"] is not None:
        raise UsageError("--all and --last do not go together")
    asked = [name for key, name in LIST_OPTIONS.items() if options[key] not in (None, False, ())]
    if flow is not None and asked:
        raise UsageError(f"{asked[0]} and the ID of a flow do not go together")
    for given, name in ((options["received"], "--in"), (options["sent"], "--out")):
        if given and flow is None:
            raise UsageError(f"{name} needs the ID of a flow")
        if given and options["as_json"]:
            raise UsageError(f"{name} and --json do not go together")


def _list(session: Session, options: dict[str, Any]) -> None:
    filters = {name: options[name] for name in ("peer", "pid", "proc")}
    last = DEFAULT_LAST if options["last"] is None else options["last"]
    found = session.flows(
        **filters,
        last=None if options["show_all"] else last,
        sort=options["sort"],
        reverse=options["reverse"],
    )
    _print(found, as_json=options["as_json"])
    if not found and last:
        reason = "no flow that matches" if any(filters.values()) else "no flows"
        print_to_stderr(f"session {session.info.id} has {reason}")


def _print(found: list[FlowRecord], as_json: bool) -> None:
    from scopetrace.output.flows import flow_body, flow_table
    from scopetrace.output.width import terminal_columns
    from scopetrace.wire.ndjson import json_line

    if as_json:
        for flow in found:
            print(json_line(flow_body(flow)))
    else:
        print(flow_table(found, time.time_ns(), terminal_columns(sys.stdout)))


def _show_one(flow: FlowRecord, as_json: bool) -> None:
    from scopetrace.output.color import wants_color
    from scopetrace.output.flows import format_flow

    if as_json:
        _print([flow], as_json)
    else:
        print(format_flow(flow, color=wants_color("auto", sys.stdout)))


def _write_payload(session: Session, flow: FlowRecord, outgoing: bool) -> None:
    from scopetrace.cli.output_files import binary_stdout

    if not flow.payload_chunks:
        is_empty = flow.bytes_sent == flow.bytes_recv == 0
        why = "no bytes were sent or received" if is_empty else "`scopetrace run -p` records it"
        raise ScopeError(f"flow {flow.id} has no payload: {why}")
    out = binary_stdout()
    for piece in session.payload(flow.channel, outgoing):
        out.write(piece.data)
    out.flush()
    missing = (flow.sent if outgoing else flow.received).missing
    if missing:
        print_to_stderr(f"{missing} bytes were not recorded and are missing here")
