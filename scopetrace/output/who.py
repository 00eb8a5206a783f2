"""Who touched a file, a peer or a process, as a table: when, what, and by which chain of processes.

The chain is last, since it may be cut at its end: who did it stands first in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from scopetrace.model.counts import number_of
from scopetrace.model.touch import FILE, PEER, PROCESS, Doer, Touch, Who
from scopetrace.output.answers import Column, shorten_middle, terminal_table
from scopetrace.output.escape import escape
from scopetrace.output.files import relative
from scopetrace.output.tables import room_beside
from scopetrace.output.units import format_microseconds, format_size
from scopetrace.output.width import display_width, shorten, wrap

TIME, ACTION, BY = Column("TIME", right=True), Column("ACTION"), Column("BY")
COLUMNS = {
    FILE: (TIME, ACTION, Column("WHAT"), BY),
    PEER: (
        TIME,
        ACTION,
        Column("PEER", least_width=100),
        Column("PROTOCOL", least_width=70),
        Column("SENT", right=True),
        Column("RECEIVED", right=True),
        Column("REQUESTS", right=True, least_width=120),
        Column("RESULT"),
        BY,
    ),
    PROCESS: (TIME, ACTION, Column("WHAT"), BY),
}
ARROW, INDENT = " ← ", "  "
OUTSIDE = "outside the session"
WHAT_SHARE = 2
"""Of a terminal's width, one part of so many is for the column WHAT, more if BY leaves it."""
NARROW = 40
"""Columns that WHAT has at least."""
LONG_OPEN_US = 10_000
"""Of a file that was open for longer, it is shown since when it may have been read and written."""
WORDS_SHARE = 2
"""Of the column WHAT, one part of so many is for what is said beside the names, at most."""


class What(NamedTuple):
    """A cell of the column WHAT: names, which are cut in their middle, and words."""

    text: str
    old: str = ""
    """The name that the file had, if it is another one than in the heading; before the text."""
    new: str = ""
    """Its name from then on; after the text."""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.old, self.text, self.new)))

    def fitted(self, columns: int) -> str:
        """Return it, cut to so many columns, the longer name first."""
        whole = escape(str(self))
        if display_width(whole) <= columns:
            return whole
        text, old, new = map(escape, self)
        if not (old or new):
            return shorten_middle(text, columns)
        words = min(display_width(text), columns // WORDS_SHARE)
        left = columns - words - bool(old) - bool(new)
        half = left // 2 if old and new else left
        longest = max(half, left - min(map(display_width, (old, new))))
        old, new = shorten_middle(old, longest), shorten_middle(new, longest)
        return shorten(" ".join(filter(None, (old, text, new))), columns)


def who_table(who: Who, folder: str, started_ns: int, width: int | None) -> str:
    """Return what was asked about on one line, and a table of its touches.

    Args:
        who: the answer.
        folder: paths below it are shown as seen from it.
        started_ns: times are shown since then; Unix time, ns.
        width: of the terminal; None: it is none.
    """
    cells: Callable[[Touch], tuple[object, ...]] = {
        FILE: lambda touch: (_file_words(touch, who, folder, started_ns),),
        PEER: _peer_cells,
        PROCESS: lambda touch: (What(_process_words(touch)),),
    }[who.kind]
    chains = cache(_joined)
    rows = [
        (
            _since(touch.time_ns, started_ns),
            touch.action,
            *cells(touch),
            chains(touch.chain) if touch.chain else _outside(touch.facts),
        )
        for touch in who.touches
    ]
    if width is not None and who.kind != PEER:
        rows = list(_with_room(rows, width))
    heading = "\n".join(_heading(who, width))
    return f"{heading}\n{terminal_table(COLUMNS[who.kind], rows, width, shorten)}"


def _heading(who: Who, width: int | None) -> list[str]:
    before = ", ".join(map(escape, who.names))
    text = escape(who.subject) + (f" (also {before})" if before else "")
    return [text] if width is None else wrap(text, width, INDENT)


def _with_room(rows: Sequence[tuple[Any, ...]], width: int) -> Iterator[tuple[object, ...]]:
    """Yield rows whose WHAT is cut: it has half of a terminal, or what the other columns leave."""
    texts = [(time, action, escape(by)) for time, action, _, by in rows]
    headings = [column.heading for column in (TIME, ACTION, BY)]
    left = room_beside(width, zip(headings, *texts, strict=True))
    most = max(left, width // WHAT_SHARE, NARROW)
    yield from ((time, action, what.fitted(most), by) for time, action, what, by in rows)


def _since(time_ns: int, started_ns: int) -> str:
    return f"{(time_ns - started_ns) / 1e9:.3f}"


def _joined(chain: tuple[Doer, ...]) -> str:
    return ARROW.join(doer.label for doer in chain)


def _outside(facts: Mapping[str, Any]) -> str:
    number = facts.get("ppid") or facts.get("sender_pid")
    return OUTSIDE + (f" [{number}]" if number else "")


def _file_words(touch: Touch, who: Who, folder: str, started_ns: int) -> What:
    """Return what was done, and by which name if that is not the one in the heading.

    What was read and written is known at the close, so it is said since when the file was open.
    """
    facts: Mapping[str, Any] = touch.facts
    words = [word(facts) for name, word in _FILE_WORDS.items() if facts.get(name)]
    if touch.action in ("change", "make"):
        words += [word(facts) for name, word in _CHANGE_WORDS.items() if name in facts]
    open_us = facts.get("duration_us") or 0
    if words and open_us >= LONG_OPEN_US:
        words.append(f"since {_since(touch.time_ns - open_us * 1000, started_ns)}")
    old = new = ""
    if "file_new" in facts:
        words.append("→")
        new = relative(facts["file_new"], folder)
    if facts.get("file", who.subject) != who.subject:
        old = relative(facts["file"], folder)
    return What(" ".join(words), old, new)


_FILE_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "flags": lambda facts: str(facts["flags"]),
    "file_read_bytes": lambda facts: f"{format_size(facts['file_read_bytes'])} read",
    "file_write_bytes": lambda facts: f"{format_size(facts['file_write_bytes'])} written",
    "file_target": lambda facts: f"to {facts['file_target']}",
    "error": lambda facts: f"{facts.get('op', '')} {facts['error']}",
}
_CHANGE_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "file_perms": lambda facts: f"mode {facts['file_perms']}",
    "file_owner": lambda facts: f"owner {facts['file_owner']}",
    "file_group": lambda facts: f"group {facts['file_group']}",
    "file_size": lambda facts: f"cut to {format_size(facts['file_size'])}",
}


def _peer_cells(touch: Touch) -> tuple[object, ...]:
    facts: Mapping[str, Any] = touch.facts
    result = facts.get("error") or facts.get("net_close_reason") or facts.get("rcode") or ""
    if facts.get("error"):
        result = f"{facts.get('op') or ''} {result}".strip()
    if facts.get("addrs"):
        result = " ".join(facts["addrs"])
    return (
        _peer(facts),
        facts.get("net_protocol") or facts.get("net_transport") or "",
        _size(facts.get("net_bytes_sent")),
        _size(facts.get("net_bytes_recv")),
        facts.get("requests") or "",
        result,
    )


def _peer(facts: Mapping[str, Any]) -> str:
    for host in ("net_peer_name", "net_peer_ip", "net_host_ip"):
        if facts.get(host):
            port = facts.get("net_host_port" if host == "net_host_ip" else "net_peer_port")
            name = f"[{facts[host]}]" if ":" in facts[host] else facts[host]
            return f"{name}:{port}" if port else name
    names = ("unix_peer_path", "unix_local_path", "domain", "file")
    return next((str(facts[name]) for name in names if facts.get(name)), "")


def _size(count: int | None) -> str:
    return "" if count is None else format_size(count)


def _process_words(touch: Touch) -> str:
    facts: Mapping[str, Any] = touch.facts
    if touch.action == "start":
        return f"[{facts['child_pid']}] {facts['child_cmd']}"
    if touch.action == "exec":
        return touch.chain[0].cmd
    if touch.action == "user":
        return str(facts["username"])
    if touch.action == "used":
        written = f", {facts['files_written']} of them written" if facts["files_written"] else ""
        return f"{number_of(facts['files'], 'file')}{written}; {number_of(facts['peers'], 'peer')}"
    if touch.action == "end":
        return _end(facts)
    return str(facts.get("signal") or "")


def _end(facts: Mapping[str, Any]) -> str:
    parts = [facts["signal"] or f"exit {facts['exit_code']}"]
    if facts["duration_us"] is not None:
        parts.append(format_microseconds(facts["duration_us"]))
    if facts["cpu_us"] is not None:
        parts.append(f"cpu {format_microseconds(facts['cpu_us'])}")
    if facts["max_rss_kib"] is not None:
        parts.append(format_size(facts["max_rss_kib"] * 1024))
    return ", ".join(parts)
