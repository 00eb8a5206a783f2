"""The tree of processes, drawn with lines: a process to a row, its children below it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TypeVar

from scopetrace.model.names import signal_name
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.output.color import paint
from scopetrace.output.escape import escape
from scopetrace.output.units import format_microseconds, format_size
from scopetrace.output.width import display_width, shorten_command

Node = TypeVar("Node")

WIDE_COLUMNS = 100
"""A terminal that is wider has room for CPU time and memory."""
MOST_DRAWN = 100
"""Levels below the roots that are drawn as such: of a process that is below thousands of others,
each forked by the one before, the level is written."""
LEAST_COMMAND = 20
"""Columns that a command has at least, however deep it stands; of a narrow terminal a quarter."""


def tree_lines(
    roots: Sequence[ProcessNode],
    width: int | None,
    *,
    depth: int | None = None,
    failed: bool = False,
    hidden: Collection[int] = (),
    times: bool = False,
    color: bool = False,
    live: bool = True,
) -> Iterator[str]:
    """Yield the lines of a tree.

    Args:
        roots: processes without a parent here.
        width: of the terminal; None: it is none.
        depth: so many levels below the roots at most.
        failed: only processes that failed, and those above them.
        hidden: the keys of processes to leave out; all below them are among them.
        times: begin each line with the time since the first process started.
        color: paint what failed.
        live: whether the session is being recorded.
    """
    wanted = _with_failures(roots) if failed else None

    def among(nodes: Iterable[ProcessNode]) -> list[ProcessNode]:
        return [
            node
            for node in nodes
            if node.key not in hidden and (wanted is None or id(node) in wanted)
        ]

    shown = among(roots)
    began_ns = min((root.started_ns for root in shown), default=0)

    def below(node: ProcessNode, level: int) -> list[ProcessNode]:
        return [] if level == depth else among(node.children)

    for node, branch in drawn(shown, below):
        prefix = _since(node, began_ns) if times else ""
        yield _line(node, prefix + branch, width, color, live)


def drawn(
    roots: Sequence[Node], below: Callable[[Node, int], Sequence[Node]]
) -> Iterator[tuple[Node, str]]:
    """Yield what stands in a tree, a parent before its children, with the lines drawn before it.

    `below` returns the children of a node at a level; those of roots are at level 0.
    """
    pending = [(root, 0, "", "") for root in reversed(roots)]
    while pending:
        node, level, branch, stem = pending.pop()
        yield node, branch
        is_deep = level >= MOST_DRAWN
        for at, child in enumerate(reversed(below(node, level))):
            joint, line = ("├─ ", "│  ") if at else ("└─ ", "   ")
            if is_deep:
                joint, line = f"{joint}level {level + 1}: ", ""
            pending.append((child, level + 1, stem + joint, stem + line))


def _with_failures(roots: Iterable[ProcessNode]) -> set[int]:
    """Return the identities of the processes that failed, and of those above them."""
    found: set[int] = set()
    for node in reversed([*all_nodes(roots)]):
        if node.failed or any(id(child) in found for child in node.children):
            found.add(id(node))
    return found


def status_text(node: ProcessNode, *, live: bool = True) -> str:
    """Return how a process ended: `exit 0`, `SIGKILL`, or that no end was recorded.

    In a session that is being recorded (`live`) such a process is running.
    """
    if node.signal is not None:
        return signal_name(node.signal)
    if node.exit_code is None:
        return "running" if live else "end not recorded"
    return f"exit {node.exit_code}"


def _since(node: ProcessNode, began_ns: int) -> str:
    return f"{(node.started_ns - began_ns) / 1e9:9.3f}  "


def _line(node: ProcessNode, branch: str, width: int | None, color: bool, live: bool) -> str:
    end = _end(node, width is None or width >= WIDE_COLUMNS, live)
    name = escape(node.process.command)
    if node.shims:
        name += f"  (through {', '.join(map(escape, node.shims))})"
    label = f"[{node.pid}] "
    if width is not None:
        left = width - display_width(branch) - len(label) - display_width(end) - 2
        name = shorten_command(name, max(left, min(LEAST_COMMAND, width // 4)))
    shown = paint(end, "bright red") if color and node.failed else end
    return f"{branch}{label}{name}  {shown}"


def _end(node: ProcessNode, wide: bool, live: bool) -> str:
    by = "" if node.killer_pid is None else f" by [{node.killer_pid}]"
    parts = [status_text(node, live=live) + by]
    if node.duration_ns is not None:
        parts.append(format_microseconds(node.duration_ns // 1000))
    if wide and node.cpu_us is not None:
        parts.append(f"cpu {format_microseconds(node.cpu_us)}")
    if wide and node.max_rss_kib is not None:
        parts.append(format_size(node.max_rss_kib * 1024))
    return ", ".join(parts)
