"""`scopetrace flows`: the flows of a session, or one in full, or its bytes."""

from __future__ import annotations

import sys
import time
from itertools import filterfalse
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.answers import (
    chosen_form,
    format_option,
    on_terminal,
    print_bodies,
    refuse_with_form,
    report_hidden,
    start_up_option,
)
from scopetrace.cli.options import (
    is_given,
    last_option,
    option_name,
    process_options,
    refuse_together,
    session_option,
)
from scopetrace.cli.shell_complete import complete_flow_field
from scopetrace.errors import ScopeError, UsageError
from scopetrace.model.counts import unrecorded_bytes
from scopetrace.model.shown import print_to_stderr

if TYPE_CHECKING:
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.query import Session

OF_LISTS = ("show_all", "start_up", "last", "peer", "pid", "proc", "sort", "reverse")
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
@start_up_option("flows")
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
@format_option
def flows(flow: int | None, session_id: str | None, **options: Any) -> None:
    """Show the network flows of a session, or the bytes of one.

    A flow is a connection, or the datagrams between a socket and one peer. Instead of the ID of a
    flow you can give the number of any event of it; if there is one flow, --in and --out need no
    ID. `scopetrace run -p` records the bytes. On a terminal, without any filter, flows of the
    start-up (name services, socketpairs) are left out.

    \b
    scopetrace flows                     the last 20 flows of the last session
    scopetrace flows --peer 10.0.0.0/8   those with a peer in this network
    scopetrace flows -s bytes_sent -n 5  the five that sent most
    scopetrace flows 12                  flow 12 with all its fields
    scopetrace flows 12 --out | xxd      the bytes that it sent
    scopetrace flows --in                those that the only flow received
    """
    from scopetrace.query import open_session

    form = options["form"] = chosen_form(options["form"], options["as_json"])
    _refuse_contradictions(flow, options)
    with open_session(session_id) as session:
        if options["sent"] or options["received"]:
            found = _only_flow(session, options) if flow is None else session.flow(flow)
            _write_payload(session, found, outgoing=options["sent"])
        elif flow is None:
            _list(session, options)
        else:
            _show_one(session.flow(flow), form)


def _refuse_contradictions(flow: int | None, options: dict[str, Any]) -> None:
    refuse_together(options, ("received", "sent"), ("show_all", "last"))
    refuse_with_form(options, "received", "sent")
    for name in OF_LISTS:
        if flow is not None and is_given(options[name]):
            raise UsageError(f"{option_name(name)} and the ID of a flow do not go together")


def _only_flow(session: Session, options: dict[str, Any]) -> FlowRecord:
    """Return the flow that the filters leave, if it is one; those of the start-up count last."""
    from scopetrace.output.flows import without_other_ends

    known = list(without_other_ends(session.flows(**_filters(options))))
    found = list(filterfalse(session.start_up().has_flow, known)) or known
    if len(found) != 1:
        name = "--out" if options["sent"] else "--in"
        raise UsageError(f"{name} needs the ID of a flow: there are {len(found)} flows")
    return found[0]


def _filters(options: dict[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in ("peer", "pid", "proc")}


def _list(session: Session, options: dict[str, Any]) -> None:
    from scopetrace.output.flows import without_other_ends

    filters, hides = _filters(options), _hides_start_up(options)
    last = DEFAULT_LAST if options["last"] is None else options["last"]
    found = session.flows(
        **filters,
        last=None if options["show_all"] or hides else last,
        sort=options["sort"],
        reverse=options["reverse"],
    )
    hidden = 0
    if hides:
        found = list(without_other_ends(found))
        own = list(filterfalse(session.start_up().has_flow, found))
        hidden, found = len(found) - len(own), own[max(len(own) - last, 0) :]
    _print(found, options["form"])
    if hidden:
        report_hidden(hidden, "start-up flow")
    elif not found and last:
        reason = "no flow that matches" if any(filters.values()) else "no flows"
        print_to_stderr(f"session {session.info.id} has {reason}")


def _hides_start_up(options: dict[str, Any]) -> bool:
    asked = ("start_up", "show_all", "sort", "reverse", "peer", "pid", "proc")
    is_table = options["form"] == "table"
    return is_table and on_terminal() and not any(options[name] for name in asked)


def _print(found: list[FlowRecord], form: str) -> None:
    from scopetrace.model.flow_record import FLOW_FIELDS
    from scopetrace.output.flows import flow_body, flow_table
    from scopetrace.output.width import terminal_columns

    if form == "table":
        print(flow_table(found, time.time_ns(), terminal_columns(sys.stdout)))
    else:
        print_bodies(form, [flow_body(flow) for flow in found], tuple(FLOW_FIELDS))


def _show_one(flow: FlowRecord, form: str) -> None:
    from scopetrace.output.color import wants_color
    from scopetrace.output.flows import format_flow

    if form == "table":
        print(format_flow(flow, color=wants_color("auto", sys.stdout)))
    else:
        _print([flow], form)


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
        print_to_stderr(unrecorded_bytes(missing))
