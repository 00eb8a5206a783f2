r"""Regular expressions of scope.yml: Python's `re`, searched for anywhere in the text.

AppScope uses PCRE2. What the two write differently (POSIX classes such as [[:alpha:]], \z, \h) is
refused with a reason instead of quietly meaning something else. `re` has no limit on time: an
expression such as (a+)+$ can take minutes on a long line, and only its author can prevent that.
"""

from __future__ import annotations

import re
import warnings

_EVERYTHING = frozenset({"", ".*", "^.*"})


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile an expression.

    Raises:
        ValueError: It is no valid expression; says why.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(text)
    except (re.error, Warning, OverflowError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


def matches_everything(text: str) -> bool:
    """Return whether an expression is one of those that are found in any text."""
    return text in _EVERYTHING
