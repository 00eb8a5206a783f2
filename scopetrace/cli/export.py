"""`scopetrace export`: the payload of a session as a pcapng file or as files of bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scopetrace.cli.options import session_option
from scopetrace.cli.shell_complete import complete_file
from scopetrace.errors import ScopeError, UsageError
from scopetrace.model.shown import escape, print_to_stderr

if TYPE_CHECKING:
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.output.payload_pcap import LeftOut
    from scopetrace.query import Session

STDOUT = Path("-")


@click.command()
@session_option
@click.option(
    "--payloads",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the bytes to files PID_PEER:PORT_HOST:PORT.in and .out in this folder.",
)
@click.option(
    "--pcap",
    type=click.Path(path_type=Path),
    metavar="FILE",
    shell_complete=complete_file,
    help="Write a pcapng file, for Wireshark for instance; - is standard output.",
)
@click.option("-f", "--force", is_flag=True, help="Replace existing files.")
def export(session_id: str | None, folder: Path | None, pcap: Path | None, force: bool) -> None:
    """Write the payload of a session to files (pcapng or raw).

    The payload is the bytes of its connections, which `scopetrace run -p` records. Packets are not
    recorded: those of a pcapng file are made from the bytes.

    \b
    scopetrace export --pcap web.pcapng              open it in Wireshark
    scopetrace export --pcap - | tshark -r - -q -z follow,tcp,ascii,0
    scopetrace export --id 3 --payloads /tmp/bytes   the bytes of session 3
    """
    from scopetrace.query import open_session

    if folder is None and pcap is None:
        raise UsageError("export needs --payloads DIR or --pcap FILE")
    if pcap == STDOUT and sys.stdout.isatty():
        raise UsageError("a pcapng file is binary: name a file, or pipe it into a program")
    with open_session(session_id) as session:
        flows = session.flows()
        if not any(flow.payload_chunks for flow in flows):
            raise ScopeError(
                f"session {session.info.id} has no payload: `scopetrace run -p` records it"
            )
        if folder is not None:
            _print_result(_write_folder(session, flows, folder, force), pcap)
        if pcap is not None:
            _print_result(_write_capture(session, flows, pcap, force), pcap)


def _write_folder(session: Session, flows: list[FlowRecord], folder: Path, force: bool) -> str:
    from scopetrace.cli.output_files import FolderWriter
    from scopetrace.output.payload_files import payload_files
    from scopetrace.output.units import format_size

    pids = {process.id: process.pid for process in session.processes()}
    with FolderWriter(folder, force) as writer:
        _refuse_existing(folder, writer.taken(_names(flows, pids)))
        for name, data in payload_files(session.payload(), flows, pids):
            writer.add(name, data)
    _report_missing(flows)
    size = format_size(sum(writer.sizes.values()))
    return f"Wrote {_count(len(writer.sizes), 'file')}, {size}, to {folder}"


def _names(flows: Iterable[FlowRecord], pids: dict[int, int]) -> set[str]:
    """Return the names of the files for these flows."""
    from scopetrace.output.payload_files import payload_file_name

    return {
        payload_file_name(pids.get(process, 0), flow, outgoing)
        for flow in flows
        for outgoing, kept in ((True, flow.sent), (False, flow.received))
        for process in (flow.process, *flow.others)
        if kept.chunks
    }


def _refuse_existing(folder: Path, taken: list[str]) -> None:
    if len(taken) == 1:
        raise ScopeError(f"{folder / taken[0]} exists already: --force replaces it")
    if taken:
        others = _count(len(taken) - 1, "other")
        raise ScopeError(f"{folder / min(taken)} and {others} exist already: --force replaces them")


def _write_capture(session: Session, flows: list[FlowRecord], pcap: Path, force: bool) -> str:
    from scopetrace import __version__
    from scopetrace.cli.output_files import binary_stdout, new_file
    from scopetrace.output.payload_pcap import capture, choose_routes

    routes, left_out = choose_routes(flows)
    with nullcontext(binary_stdout()) if pcap == STDOUT else new_file(pcap, force) as out:
        for block in capture(routes, session.payload(), __version__):
            out.write(block)
        out.flush()
    if any(left_out):
        _note(f"left out: {', '.join(_reasons(left_out))}")
    _report_missing(route.flow for route in routes)
    return f"Wrote {_count(len(routes), 'flow')} to {pcap}"


def _reasons(left_out: LeftOut) -> Iterable[str]:
    """Yield a phrase for each reason why flows are left out."""
    words = {
        "unix": "of unix sockets",
        "other_transports": "of transports other than TCP and UDP",
        "without_addresses": "without addresses",
        "other_ends": "whose other end is in it",
    }
    for reason, count in left_out._asdict().items():
        if count:
            yield f"{_count(count, 'flow')} {words[reason]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _print_result(sentence: str, pcap: Path | None) -> None:
    """Print what was written; on standard error if the capture goes to standard output."""
    if pcap == STDOUT:
        print_to_stderr(f"{sentence}.")
    else:
        print(f"{escape(sentence)}.")


def _report_missing(written: Iterable[FlowRecord]) -> None:
    missing = sum(flow.sent.missing + flow.received.missing for flow in written)
    if missing:
        _note(f"{missing} bytes were not recorded and are missing there")


def _note(sentence: str) -> None:
    print_to_stderr(sentence)
