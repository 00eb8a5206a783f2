"""What became of a process: who started it, its programs, children and signals, and its end."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from scopetrace.model.names import signal_name
from scopetrace.model.process import Process
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.model.touch import PROCESS, Doer, Touch, Who
from scopetrace.query.chains import Chains
from scopetrace.query.conditions import marks
from scopetrace.query.few_events import few_events
from scopetrace.query.files import read_files
from scopetrace.query.flows import of_images, read_flows
from scopetrace.query.path_classes import PathClasses
from scopetrace.query.tree import read_tree


def process_touches(db: sqlite3.Connection, pid: int) -> Who | None:
    """Return what happened to the processes that had a pid; None: none had."""
    found = [node for node in all_nodes(read_tree(db)) if node.pid == pid]
    if not found:
        return None
    chains = Chains(db)
    touches = [touch for node in found for touch in _touches(db, node, chains)]
    return Who(PROCESS, found[-1].process.command, (), tuple(touches))


def pids(db: sqlite3.Connection) -> list[int]:
    """Return the pids of a session, ascending."""
    return [pid for (pid,) in db.execute("SELECT DISTINCT pid FROM process ORDER BY pid")]


def _touches(db: sqlite3.Connection, node: ProcessNode, chains: Chains) -> list[Touch]:
    found = [
        _start(node, chains),
        *_programs(node, chains),
        *(_start(child, chains) for child in node.children),
        *_signals(db, node, chains),
    ]
    found.sort(key=lambda touch: touch.time_ns)
    found.append(_end(node, chains, found[-1].time_ns))
    return [*found, _counts(db, node, chains, found[-1].time_ns)]


def _start(node: ProcessNode, chains: Chains) -> Touch:
    """Return the start of a process by its parent."""
    first = node.images[0]
    facts: dict[str, str | int] = {"child_pid": node.pid, "child_cmd": node.process.cmd}
    if not first.parent:
        facts |= {"child_cmd": first.cmd, "ppid": first.ppid}
    return Touch(0, first.started_ns, "start", chains.of(first.parent), facts)


def _programs(node: ProcessNode, chains: Chains) -> Iterator[Touch]:
    """Yield the programs that it became, and the users."""
    for before, image in zip(node.images, node.images[1:], strict=False):
        facts = {"exe": image.exe, "cwd": image.cwd, "username": image.username}
        action = "user" if _is_same_program(before, image) else "exec"
        yield Touch(0, image.started_ns, action, chains.of(image.id), facts)


def _is_same_program(before: Process, image: Process) -> bool:
    same = (before.exe, before.args) == (image.exe, image.args)
    return same and (before.uid, before.gid) != (image.uid, image.gid)


def _signals(db: sqlite3.Connection, node: ProcessNode, chains: Chains) -> Iterator[Touch]:
    images = [image.id for image in node.images]
    rows = db.execute(
        f"SELECT id, time_ns, data FROM {few_events(db)} WHERE source = 'proc.signal'"
        f" AND process IN ({marks(images)}) ORDER BY id",
        images,
    )
    for number, time_ns, text in rows:
        data: dict[str, Any] = json.loads(text)
        sender = data.get("sender_pid")
        facts = {"signal": data.get("signal"), "sender_pid": sender}
        yield Touch(number, time_ns, "signal", _sender(db, sender, time_ns, chains), facts)
    if node.killer_pid is not None and node.ended_ns is not None:
        facts = {"signal": "SIGKILL", "sender_pid": node.killer_pid}
        chain = _sender(db, node.killer_pid, node.ended_ns, chains)
        yield Touch(0, node.ended_ns, "signal", chain, facts)


def _sender(
    db: sqlite3.Connection, pid: int | None, time_ns: int, chains: Chains
) -> tuple[Doer, ...]:
    """Return the chain of the process that had a pid at a time; empty: it was not recorded."""
    row = db.execute(
        "SELECT max(id) FROM process WHERE pid = ? AND started_ns <= ?", (pid, time_ns)
    ).fetchone()
    return chains.of(row[0]) if row[0] else ()


def _end(node: ProcessNode, chains: Chains, last_ns: int) -> Touch:
    """Return how it ended; `running` after the last that is known of it."""
    chain = chains.of(node.process.id)
    if node.ended_ns is None:
        return Touch(0, last_ns, "running", chain, {})
    facts = {
        "exit_code": node.exit_code,
        "signal": None if node.signal is None else signal_name(node.signal),
        "duration_us": None if node.duration_ns is None else node.duration_ns // 1000,
        "cpu_us": node.cpu_us,
        "max_rss_kib": node.max_rss_kib,
    }
    return Touch(0, node.ended_ns, "end", chain, facts)


def _counts(db: sqlite3.Connection, node: ProcessNode, chains: Chains, last_ns: int) -> Touch:
    """Return how many files it used and how many peers it talked to."""
    images = {image.id for image in node.images}
    files = read_files(db, PathClasses({}), images)
    used = [file for file in files if file.opens or file.written or file.deleted or file.renamed]
    peers = {flow.peer for flow in of_images(read_flows(db), images)}
    facts = {
        "files": len(used),
        "files_written": sum(file.written for file in used),
        "peers": len(peers - {None}),
    }
    return Touch(0, last_ns, "used", chains.of(node.process.id), facts)
