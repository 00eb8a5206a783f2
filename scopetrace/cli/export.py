"""`scopetrace export`: a session as files that other programs open."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scopetrace.cli.options import session_argument
from scopetrace.cli.shell_complete import complete_file
from scopetrace.errors import ScopeError, UsageError
from scopetrace.model.counts import number_of, unrecorded_bytes
from scopetrace.model.shown import escape, print_to_stderr
from scopetrace.output.progress import tracked

if TYPE_CHECKING:
    from scopetrace.model.flow_record import FlowRecord
    from scopetrace.output.payload_pcap import LeftOut
    from scopetrace.query import Session

STDOUT = Path("-")
MOST_BODY_BYTES = 1 << 20
"""So much of each body is written into a HAR file."""


def file_option(name: str, help: str) -> Callable[[Any], Any]:
    """Return what adds an option for a file to write; - is standard output."""
    return click.option(
        f"--{name}",
        type=click.Path(path_type=Path),
        metavar="FILE",
        shell_complete=complete_file,
        help=f"{help}; - is standard output.",
    )


def folder_option(option: str, name: str, help: str) -> Callable[[Any], Any]:
    """Return what adds an option for a folder to write files into."""
    return click.option(option, name, type=click.Path(path_type=Path), metavar="DIR", help=help)


@click.command()
@session_argument
@file_option("perfetto", "Write all events as a trace, for ui.perfetto.dev or speedscope")
@file_option("har", "Write the HTTP requests and responses as an HTTP Archive")
@folder_option("--csv", "csv", "Write the events to CSV files in this folder, one for each source.")
@folder_option(
    "--payloads",
    "payloads",
    "Write the bytes to files PID_PEER:PORT_HOST:PORT.in and .out in this folder.",
)
@file_option("pcap", "Write a pcapng file, for Wireshark for instance")
@click.option("-f", "--force", is_flag=True, help="Replace existing files.")
def export(session: str | None, force: bool, **places: Path | None) -> None:
    """Write a session as files of other programs: trace, HAR, CSV, pcapng.

    --pcap and --payloads need payload: the bytes of connections, which `scopetrace run -p` records.
    Packets are not recorded: those of a pcapng file are made from the bytes. With payload, a HAR
    file has all header fields and the bodies (of HTTP/1, 1 MiB each at most).

    \b
    scopetrace export --perfetto trace.json          open it in ui.perfetto.dev
    scopetrace export --har web.har                  open it in the network panel of a browser
    scopetrace export --csv tables                   tables/fs_open.csv, tables/console.csv...
    scopetrace export --pcap web.pcapng              open it in Wireshark
    scopetrace export --pcap - | tshark -r - -q -z follow,tcp,ascii,0
    scopetrace export --id 3 --payloads /tmp/bytes   the bytes of session 3
    """
    from scopetrace.query import open_session

    asked = {name: place for name, place in places.items() if place is not None}
    if not asked:
        options = ", ".join(f"--{name}" for name in [*WRITERS][:-1])
        raise UsageError(f"export needs one of {options} or --{[*WRITERS][-1]}")
    to_stdout = _to_stdout(asked)
    with open_session(session) as opened:
        for name, writer in WRITERS.items():
            if name in asked:
                _print_result(writer(opened, asked[name], force), to_stdout)


def _to_stdout(asked: dict[str, Path]) -> bool:
    """Return whether a file goes to standard output.

    Raises:
        UsageError: several do, or one is binary and would go to a terminal.
    """
    files = [name for name, place in asked.items() if place == STDOUT and name in FILES]
    if len(files) > 1:
        raise UsageError("only one file can go to standard output")
    if files == ["pcap"] and sys.stdout.isatty():
        raise UsageError("a pcapng file is binary: name a file, or pipe it into a program")
    return bool(files)


def _write_perfetto(session: Session, path: Path, force: bool) -> str:
    from scopetrace.output.perfetto import perfetto_file

    info, last_id = session.info, session.last_id
    until_ns = session.event(last_id).time_ns if last_id else info.started_ns
    events = tracked(session.events(), "exporting events", last_id)
    pieces = perfetto_file(info.started_ns, info.ended_ns or until_ns, session.tree(), events)
    _write_file(pieces, path, force)
    return f"Wrote {number_of(last_id, 'event')} to {path}"


def _write_har(session: Session, path: Path, force: bool) -> str:
    from scopetrace import __version__
    from scopetrace.output.har import har_file

    count = 0

    def counted() -> Iterable[Any]:
        nonlocal count
        for exchange in tracked(session.exchanges(MOST_BODY_BYTES), "exporting requests"):
            count += 1
            yield exchange

    _write_file(har_file(counted(), __version__), path, force)
    return f"Wrote {number_of(count, 'request')} to {path}"


def _write_csv(session: Session, folder: Path, force: bool) -> str:
    from scopetrace.cli.output_files import FolderWriter
    from scopetrace.output.csv_files import NAMES, csv_files

    events = tracked(session.events(), "exporting events", session.last_id)
    parts = (session.processes(), session.process_ends(), events, session.metrics())
    with FolderWriter(folder, force) as writer:
        _refuse_existing(folder, writer.taken(NAMES))
        for name, data in csv_files(*parts):
            writer.add(name, data)
    return f"Wrote {_files(writer.sizes)} to {folder}"


def _write_folder(session: Session, folder: Path, force: bool) -> str:
    from scopetrace.cli.output_files import FolderWriter
    from scopetrace.output.payload_files import payload_files

    flows = _flows_with_payload(session)
    pids = {process.id: process.pid for process in session.processes()}
    with FolderWriter(folder, force) as writer:
        _refuse_existing(folder, writer.taken(_names(flows, pids)))
        payload = tracked(session.payload(), "exporting pieces of payload")
        for name, data in payload_files(payload, flows, pids):
            writer.add(name, data)
    _report_missing(flows)
    return f"Wrote {_files(writer.sizes)} to {folder}"


def _flows_with_payload(session: Session) -> list[FlowRecord]:
    """Return all flows.

    Raises:
        ScopeError: none has payload.
    """
    flows = session.flows()
    if not any(flow.payload_chunks for flow in flows):
        raise ScopeError(
            f"session {session.info.id} has no payload: `scopetrace run -p` records it"
        )
    return flows


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
        others = number_of(len(taken) - 1, "other")
        raise ScopeError(f"{folder / min(taken)} and {others} exist already: --force replaces them")


def _write_capture(session: Session, pcap: Path, force: bool) -> str:
    from scopetrace import __version__
    from scopetrace.output.payload_pcap import capture, choose_routes

    routes, left_out = choose_routes(_flows_with_payload(session))
    payload = tracked(session.payload(), "exporting pieces of payload")
    _write_file(capture(routes, payload, __version__), pcap, force)
    if any(left_out):
        print_to_stderr(f"left out: {', '.join(_reasons(left_out))}")
    _report_missing(route.flow for route in routes)
    return f"Wrote {number_of(len(routes), 'flow')} to {pcap}"


def _write_file(pieces: Iterable[bytes], path: Path, force: bool) -> None:
    from scopetrace.cli.output_files import binary_stdout, new_file

    with nullcontext(binary_stdout()) if path == STDOUT else new_file(path, force) as out:
        for piece in pieces:
            out.write(piece)
        out.flush()


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
            yield f"{number_of(count, 'flow')} {words[reason]}"


def _files(sizes: dict[str, int]) -> str:
    """Return how many files were written, and their size."""
    from scopetrace.output.units import format_size

    return f"{number_of(len(sizes), 'file')}, {format_size(sum(sizes.values()))},"


def _print_result(sentence: str, to_stdout: bool) -> None:
    """Print what was written; on standard error if a file goes to standard output."""
    if to_stdout:
        print_to_stderr(f"{sentence}.")
    else:
        print(f"{escape(sentence)}.")


def _report_missing(written: Iterable[FlowRecord]) -> None:
    missing = sum(flow.sent.missing + flow.received.missing for flow in written)
    if missing:
        print_to_stderr(unrecorded_bytes(missing))


FILES = ("perfetto", "har", "pcap")
"""Options that write one file."""
WRITERS: dict[str, Callable[[Session, Path, bool], str]] = {
    "perfetto": _write_perfetto,
    "har": _write_har,
    "csv": _write_csv,
    "payloads": _write_folder,
    "pcap": _write_capture,
}
"""Option → what writes it and returns a sentence on that; in the order in which it is done."""
