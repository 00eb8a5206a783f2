"""One plain sentence about one call.

The rule: a call with rows in sentences.txt has a sentence of its own, any other one is composed of
its name, its arguments and its result. Where something is not known, it is left out.
"""

from __future__ import annotations

import os
import re

from scopetrace.explain.phrases import phrase
from scopetrace.explain.subject import Subject
from scopetrace.explain.texts import Sentence, errors, names, sentences
from scopetrace.explain.values import Values
from scopetrace.model.names import signal_name
from scopetrace.model.whole_call import DAMAGED, SIGNAL
from scopetrace.syscalls.recorded import Recorded

OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
FIELD = re.compile(r"\{(\w+)\}")
MOST_ARGUMENTS = 4
"""So many arguments a composed sentence has."""
NO_RETURN = "none"
NUMBERS = ("pid", "uid", "uid16", "gid", "gid16")
"""Kinds whose words would say again what the name of the argument says."""
REFUSED = ": a seccomp filter of the program refused it, which raises SIGSYS."
DAMAGED_ROW = "The session file is damaged here: what call this was is not known."
CLOSE = ("", ",", ";", ":")
"""What stands behind a word without a space."""


def sentence(call: Subject) -> str:
    """Return what a call did, or could not do and why."""
    form = sentence_form(call)
    if form is None:
        return _composed(call)
    values = Values(call)
    what = _filled(form.what, values)
    if call.error and form.to_do:
        return f"Could not {form.to_do} {what}{_reason(call)}"
    if call.call.is_refused:
        return f"Could not {form.to_do} {what}{REFUSED}"
    if not call.error and not call.succeeded and not _never_returns(call):
        return _unfinished(call, f"to {form.to_do} {what}")
    then = _filled(form.then, values)
    return f"{form.done} {what}{'' if then[:1] in CLOSE else ' '}{then}."


def sentence_between(made: Recorded) -> str:
    """Return what happened between calls: a signal came, a thread ended, or a row is damaged."""
    if made.abi == DAMAGED:
        return DAMAGED_ROW
    if made.abi == SIGNAL:
        name = signal_name(made.number)
        meaning = names().get(name)
        return f"The signal {name} came{f': {meaning}' if meaning else ''}."
    status = made.result or 0
    who = f"Process {made.pid}" if made.tid == made.pid else f"Thread {made.tid}"
    if os.WIFSIGNALED(status):
        return f"{who} was ended by {signal_name(os.WTERMSIG(status))}."
    return f"{who} ended with status {os.WEXITSTATUS(status)}."


def sentence_form(call: Subject) -> Sentence | None:
    """Return the row of sentences.txt that describes a call; None: none does."""
    return next(
        (row for row in sentences().get(call.name, ()) if not row.word or call.has(row.word)), None
    )


def _never_returns(call: Subject) -> bool:
    return call.row is not None and call.row.result.name == NO_RETURN


def _filled(template: str, values: Values) -> str:
    """Return a template with its values, without the parts of which a value is empty."""

    def part(found: re.Match[str]) -> str:
        inner = found.group(1)
        full = all(values[name] for name in FIELD.findall(inner))
        return inner if full else ""

    text = FIELD.sub(lambda found: values[found.group(1)], OPTIONAL.sub(part, template))
    return text.strip()


def _reason(call: Subject) -> str:
    """Return the end of a sentence about a failure."""
    if call.why:
        return f": {call.why} ({call.error})."
    error = errors().get(call.error)
    return f": {call.error}. {error.means}" if error else f": {call.error}."


def _unfinished(call: Subject, what: str) -> str:
    if call.is_interrupted:
        return f"Began {what}; a signal interrupted it."
    return f"Began {what}; it had not returned when its thread or the recording ended."


def _composed(call: Subject) -> str:
    """Return a sentence about a call that has none of its own, by the kinds of its arguments."""
    found = (f"{name} {_argument(call, name)}" for name in call.texts)
    arguments = ", ".join([*found][:MOST_ARGUMENTS])
    what = f"{call.name}{f' with {arguments}' if arguments else ''}"
    if call.call.is_refused:
        return f"Called {what}, which failed{REFUSED}"
    if call.error:
        return f"Called {what}, which failed{_reason(call)}"
    if _never_returns(call):
        return f"Called {what}, which never returns."
    if not call.succeeded:
        return _unfinished(call, f"{what}")
    return f"Called {what}; it {_outcome(call)}."


def _argument(call: Subject, name: str) -> str:
    kind = call.kind(name)
    return call.texts[name] if kind and kind.name in NUMBERS else phrase(call, name)


def _outcome(call: Subject) -> str:
    kind = call.row.result.name if call.row else ""
    if kind == "int" and call.result == 0:
        return "succeeded"
    return f"returned {Values(call)['result']}"
