r"""Regular expressions of scope.yml: Python's `re`, searched for anywhere in the text.

AppScope uses PCRE2. What the two write differently (POSIX classes such as [[:alpha:]], \z, \h) is
refused with a reason instead of quietly meaning something else.

`re` has no limit on time: (a+)+$ can take hours on one line. Where `limit_searches` was called, an
expression that took `MOST_S` for one text, twice, is given up: it is found in nothing any more, and
the texts are counted. `re` hears signals while it goes back and forth, but not inside the
repetition of one character: a*b is given up only when its searches end, after n² short steps each.
"""

from __future__ import annotations

import re
import signal
import time
import warnings
from collections.abc import Callable
from functools import cache

MOST_S = 0.5
"""CPU time for one search, give or take a tick."""
TRIES = 2
"""What a virtual machine was paused for may count as CPU time: so it may have been no fault."""
_TICK_S = 0.1
_EVERYTHING = frozenset({"", ".*", "^.*"})


class _Overdue(Exception):
    """The search that is under way has taken too long."""


class _Clock:
    """The CPU time of the thread that searches, in seconds, as it was at the last tick.

    To look at the real one would cost a search more than most searches do.
    """

    __slots__ = ("began", "now")

    def __init__(self) -> None:
        self.now = 0.0
        self.began: float | None = None
        """When the search that is under way began; None: there is none."""


_clock = _Clock()
_given_up: list[Pattern] = []


class Pattern:
    """A regular expression, and the place in scope.yml that it is from."""

    __slots__ = ("_find", "place", "text", "unsearched")

    def __init__(self, regex: re.Pattern[str], place: str) -> None:
        self.text = regex.pattern
        self.place = place
        self.unsearched = 0
        """Texts it was not searched for in, since it was given up."""
        self._find: Callable[[str], object] = regex.search

    def search(self, text: str) -> bool:
        """Return whether it is found in a text; if it was given up, it is not."""
        for _ in range(TRIES):
            _clock.began = _clock.now
            try:
                return self._find(text) is not None
            except _Overdue:
                continue
            finally:
                _clock.began = None
        self._find = self._pass_over
        _given_up.append(self)
        return False

    def _pass_over(self, _text: str) -> None:
        self.unsearched += 1


@cache
def compile_pattern(text: str, place: str = "", *, ignore_case: bool = False) -> Pattern:
    """Compile an expression. The same one of the same place is the same object.

    Raises:
        ValueError: It is no valid expression; says why.
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
    """Return whether an expression is one of those that are found in any text."""
    return text in _EVERYTHING


def limit_searches() -> None:
    """Give up expressions that take too long, for the rest of this process.

    To be called by the main thread, which alone hears signals, and alone may search.
    """
    signal.signal(signal.SIGPROF, _on_tick)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    signal.setitimer(signal.ITIMER_PROF, _TICK_S, _TICK_S)


def note_time() -> None:
    """Set the clock of searches. For a thread that works in short spells, which ticks can miss."""
    _clock.now = time.thread_time()


def take_given_up() -> list[Pattern]:
    """Return the expressions that were given up since this was asked last."""
    taken = _given_up.copy()
    _given_up.clear()
    return taken


def _on_tick(_number: int, _frame: object) -> None:
    note_time()
    if _clock.began is not None and _clock.now - _clock.began > MOST_S:
        _clock.began = None
        raise _Overdue
