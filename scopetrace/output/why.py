"""Why processes ended badly: for each one line with the likeliest reason, and what supports it."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scopetrace.model.counts import number_of
from scopetrace.model.process_tree import ProcessNode, is_copy
from scopetrace.model.why import BadEnd, Failure, LastCall, Why
from scopetrace.output.cause import failure_text
from scopetrace.output.color import paint
from scopetrace.output.escape import escape, escape_message
from scopetrace.output.tree import status_text
from scopetrace.output.width import shorten, wrap

ARROW = " ← "
INDENT = "  "
LABEL_COLUMNS = 8
LEAST_WIDTH = 40
CUT = ("before", "command")
"""The labels of lines whose end matters less; others are wrapped."""
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Statuses of a shell that could not start a program."""
SENDER_UNKNOWN = (
    "its sender is not recorded: a process, or the kernel (memory or RLIMIT_CPU used up)"
)
"""Of SIGKILL: no tracer sees its delivery, only that a process of the session sends it."""
BY_ITSELF = "it sent the signal to itself"
BY_KERNEL: dict[int, tuple[str, str]] = {
    signal.SIGPIPE: ("EPIPE", "it wrote to a pipe or connection that has no reader any more"),
    signal.SIGXFSZ: ("EFBIG", "it wrote beyond RLIMIT_FSIZE"),
}
"""Signals that the kernel sends in the name of the process that made a call: its error, and why."""
SHELL_STATUSES = {NOT_FOUND: "command not found", NOT_EXECUTABLE: "command not executable"}


def why_lines(why: Why, width: int | None, *, color: bool = False) -> Iterator[str]:
    """Yield the lines of an answer, each at most `width` wide; None: there is no terminal."""
    if not why.first_failed:
        yield from _wrapped(_first_succeeded(why), width)
    for place, end in enumerate(why.ends):
        if place or not why.first_failed:
            yield ""
        first, *more = _wrapped(reason_text(end), width)
        yield paint(first, "bright red") if color else first
        yield from more
        yield from _support(end, width)
    if why.others and why.ends:
        ended = number_of(why.others, "more process")
        yield from _wrapped(f"{ended} ended badly: scopetrace tree --failed", width)


def _first_succeeded(why: Why) -> str:
    """Say that the first process has not failed, and whether others have."""
    info = why.info
    name = f"{escape(info.command)}[{info.pid}]"
    if info.status == "running":
        name = f"{name} has not ended"
    elif info.exit_code is None:
        name = f"the end of {name} is not recorded: the recording was {info.status}"
    elif not (why.ends or why.others):
        return _nothing_failed(why, name)
    else:
        name = f"{name} ended with status 0"
    if why.ends:
        return f"{name}; of the processes that it started these ended badly:"
    if why.others:
        count = number_of(why.others, "process")
        return f"{name}; {count} ended badly, for reasons not known: scopetrace tree --failed"
    return f"{name}, and no process has failed so far"


def _nothing_failed(why: Why, name: str) -> str:
    others = why.processes - 1
    more = {0: "", 1: ", and so did the process that it started"}
    text = more.get(others, f", and so did the {others} processes that it started")
    return f"nothing failed: {name} ended with status 0{text}"


def has_reason(end: BadEnd) -> bool:
    """Whether anything is known of why a process ended badly."""
    status = end.origin.exit_code
    by_signal = end.origin.signal is not None
    return bool(end.failures or end.said or by_signal or status in SHELL_STATUSES)


def reason_text(end: BadEnd) -> str:
    """Return how a process ended, by which child, and the likeliest reason."""
    parts = [f"{_name(node)} {status_text(node)}" for node in _without_copies(end.chain)]
    return ARROW.join([*parts, *filter(None, [_reason(end)])])


def _blamed(end: BadEnd) -> Failure | None:
    """Return the failed call that is the likeliest reason.

    A signal that another process sent is one by itself, unless the last lines name the failure.
    """
    first = end.failures[0] if end.failures else None
    sender = (end.signal or {}).get("sender_pid")
    was_sent = sender not in (None, 0, end.origin.pid) and "address" not in end.signal
    return None if first is not None and was_sent and not first.worded else first


def _reason(end: BadEnd) -> str:
    failure = _blamed(end)
    if failure is not None:
        text = failure_text(failure.source, failure.data, failure.folders)
        return text if failure.sure else f"perhaps {text}"
    if end.origin.signal is not None and not _has_said_why(end) and (text := _signal_text(end)):
        return text
    if end.said:
        return _said(end)
    if end.origin.signal is not None:
        return ""
    return SHELL_STATUSES.get(end.origin.exit_code or 0, "no failed call explains it")


def _without_copies(chain: Sequence[ProcessNode]) -> list[ProcessNode]:
    """Return a chain without forked copies that ended as their parents did."""
    shown = [chain[0]]
    for node in chain[1:]:
        if not (is_copy(shown[-1], node) and status_text(shown[-1]) == status_text(node)):
            shown.append(node)
    return shown


def _name(node: ProcessNode) -> str:
    return f"{escape(node.process.proc)}[{node.pid}]"


def _has_said_why(end: BadEnd) -> bool:
    """Return whether a process complained, and sent itself the signal, as by abort(3)."""
    data, number = end.signal or {}, end.origin.signal
    is_own = data.get("sender_pid") == end.origin.pid and data.get("address") is None
    return bool(end.said) and is_own and number not in (signal.SIGKILL, *BY_KERNEL)


def _signal_text(end: BadEnd) -> str:
    """Return where a fault was, or who sent the signal."""
    data, origin = end.signal, end.origin
    if origin.signal == signal.SIGKILL:
        return SENDER_UNKNOWN if end.sender is None else _sent_by(end.sender, origin)
    if (address := data.get("address")) is not None:
        return f"{escape(str(data.get('code', '')))} at {escape(str(address))}"
    sender = data.get("sender_pid")
    if sender == origin.pid:
        error, by_kernel = BY_KERNEL.get(origin.signal or 0, ("", ""))
        is_sure = any(failure.data.get("error") == error for failure in end.failures)
        return by_kernel if is_sure else " or ".join(filter(None, (BY_ITSELF, by_kernel)))
    if end.sender is not None:
        return _sent_by(end.sender, origin)
    return f"sent by process {sender}" if sender else ""


def _sent_by(sender: ProcessNode, origin: ProcessNode) -> str:
    return BY_ITSELF if sender is origin else f"sent by {_name(sender)}"


def _said(end: BadEnd) -> str:
    stream = next((name for name, lines in _streams(end) if lines), "")
    return f"{stream}: {escape_message(end.said)}"


def _streams(end: BadEnd) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the label and the last lines of each place that a process may write to."""
    yield from (("stderr", end.stderr), ("stdout", end.stdout), ("log", end.log))


def _support(end: BadEnd, width: int | None) -> Iterator[str]:
    """Yield what else is known: other failures, stderr, what was done before a crash."""
    blamed = _blamed(end)
    others = end.failures[blamed is not None :]
    also = [_counted(each.source, each.data, each.folders, each.times) for each in others]
    yield from _labelled("also", also, width)
    if blamed is not None and end.signal:
        yield from _labelled(
            "signal", [_signal_text(end) or escape(status_text(end.origin))], width
        )
    for label, lines in _streams(end):
        if blamed is not None or lines != (end.said,):
            yield from _labelled(label, map(escape_message, lines), width)
    before = [call for call in end.last_calls if blamed is None or call.event != blamed.event]
    yield from _labelled("before", map(_call_text, before), width)
    yield from _labelled("command", [escape(end.origin.process.command)], width)
    if blamed is not None:
        yield from _labelled("event", [f"scopetrace events {blamed.event}"], width)


def _counted(source: str, data: dict[str, Any], folders: int, times: int) -> str:
    text = failure_text(source, data, folders)
    return f"{text} ({times} times)" if times > 1 and folders == 1 else text


def _call_text(call: LastCall) -> str:
    """Return one of the last calls: what happened, and to what."""
    if call.data.get("error"):
        return failure_text(call.source, call.data)
    about = ("file", "message", "net_peer_ip", "unix_peer_path", "domain", "http_target")
    what = next((str(call.data[name]) for name in about if call.data.get(name)), "")
    return f"{call.source} {escape(what.rstrip())}".rstrip()


def _labelled(label: str, texts: Iterable[str], width: int | None) -> Iterator[str]:
    is_cut, margin = label in CUT, INDENT + " " * LABEL_COLUMNS
    for text in texts:
        line = f"{INDENT}{label:{LABEL_COLUMNS}}{text}"
        if width is None:
            yield line
        elif is_cut:
            yield shorten(line, max(width, LEAST_WIDTH))
        else:
            yield from wrap(line, max(width, LEAST_WIDTH), margin)
        label = ""


def _wrapped(text: str, width: int | None) -> list[str]:
    if width is None:
        return [text]
    return wrap(text, max(width, LEAST_WIDTH), INDENT)


FIELDS = (
    *("pid", "proc", "cmd", "status", "reason", "chain", "failures", "stderr", "stdout"),
    *("log", "signal"),
)
"""The names of what `why_bodies` returns of each process."""


def why_bodies(why: Why) -> list[dict[str, Any]]:
    """Return the processes that ended badly as JSON has them."""
    return [_body(end) for end in why.ends]


def _body(end: BadEnd) -> dict[str, Any]:
    first = end.chain[0]
    return {
        "pid": first.pid,
        "proc": first.process.proc,
        "cmd": first.process.cmd,
        "status": status_text(first),
        "reason": reason_text(end),
        "chain": [
            {"pid": node.pid, "cmd": node.process.cmd, "status": status_text(node)}
            for node in end.chain
        ],
        "failures": [failure.body() for failure in end.failures],
        "stderr": end.stderr,
        "stdout": end.stdout,
        "log": end.log,
        "signal": end.signal,
    }
