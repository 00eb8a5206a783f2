r"""Regular expressions of scope.yml: Python's `re`, searched for anywhere in the text.

AppScope uses PCRE2. Syntax that differs (POSIX classes such as [[:alpha:]], \z, \h) is an error
rather than having another meaning.

`re` has no time limit: (a+)+$ can take hours on one line. After `limit_searches`, an expression
that took `SEARCH_LIMIT_S` for one text, twice, is given up: it matches no text any more, and the
texts are counted. `re` handles signals while it backtracks, but not within the repetition of one
character: a*b is given up only when its search has ended, after n² short steps.
"""

from __future__ import annotations

import re
import signal
import time
import warnings
from collections.abc import Callable
from functools import cache

SEARCH_LIMIT_S = 0.5
"""CPU time for one search, give or take a tick."""
TRIES = 2
"""Searches that must take too long: the pause of a virtual machine may count as CPU time."""
_TICK_S = 0.1
_EVERYTHING = frozenset({"", ".*", "^.*"})


class _Overdue(Exception):
    """The current search has taken too long."""


class _Clock:
    """The CPU time of the thread that searches, in seconds, at the last tick.

    Reading the real clock takes longer than most searches.
    """

    __slots__ = ("began", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self.began: float | None = None
        """When the current search began; None: there is none."""


_clock = _Clock()
_given_up: list[Pattern] = []


class Pattern:
    """A regular expression, and its place in scope.yml."""

    __slots__ = ("_find", "place", "text", "unsearched")

    def __init__(self, regex: re.Pattern[str], place: str) -> None:
        self.text = regex.pattern
        self.place = place
        self.unsearched = 0
        """Texts that were not searched because the expression was given up."""
        self._find: Callable[[str], object] = regex.search

    def search(self, text: str) -> bool:
        """Return whether the expression is found in a text; false if it was given up."""
        for _ in range(TRIES):
            _clock.began = _clock.now
            try:
                return self._find(text) is not None
            except _Overdue:
                continue
            finally:
                _clock.began = None
        self._find = self._skip
        _given_up.append(self)
        return False

    def _skip(self, _text: str) -> None:
        self.unsearched += 1


@cache
def compile_pattern(text: str, place: str = "", *, ignore_case: bool = False) -> Pattern:
    """Compile an expression; the same one of the same place is the same object.

    Raises:
        ValueError: It is not valid; the message says why.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return Pattern(re.compile(text, re.IGNORECASE if ignore_case else 0), place)
    except (re.error, Warning, OverflowError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def matches_everything(text: str) -> bool:
    """Return whether an expression is known to match any text."""
    return text in _EVERYTHING


def limit_searches() -> None:
    """From now on, give up expressions that take too long.

    Only the main thread may call this, and search after it: Python handles signals there.
    """
    signal.signal(signal.SIGPROF, _on_tick)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    signal.setitimer(signal.ITIMER_PROF, _TICK_S, _TICK_S)


def note_time() -> None:
    """Set the clock of searches. For a thread that runs too briefly at a time for ticks."""
    _clock.now = time.thread_time()


def take_given_up() -> list[Pattern]:
    """Return the expressions that were given up since the last call."""
    taken = _given_up.copy()
    _given_up.clear()
    return taken


def _on_tick(_number: int, _frame: object) -> None:
    note_time()
    if _clock.began is not None and _clock.now - _clock.began > SEARCH_LIMIT_S:
        _clock.began = None
        raise _Overdue
