r"""Text that is safe to show: what a terminal could obey or misplace becomes visible text.

A traced program chooses its file names and messages, so they may hold escape sequences, a forged
line, or bidirectional overrides that show one name and mean another. The rule: a character passes
if it is printable or a space of some width; every other one is written out.

| what | shown as |
|---|---|
| newline, carriage return, tab | `\n` `\r` `\t` |
| other characters below U+0020, and U+007F | `\x1b` |
| a byte that is no UTF-8 (a lone surrogate of `os.fsdecode`) | `\xff` |
| all else unprintable: C1 controls, format, private and unassigned characters | `\u202e` |

A backslash is left alone, so that paths and patterns read as they are; where it matters which is
which, JSON is exact.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import suppress

NAMED = {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
SPACES = frozenset("\u00a0\u1680\u202f\u205f\u3000") | {chr(code) for code in range(0x2000, 0x200B)}
"""The spaces of Unicode (category Zs) besides U+0020: they only shift what follows to the right."""


_STYLES = re.compile(r"\x1b(?:\[[0-9;:]*[mK]|\[\?[0-9;]*[hl]|\(B|\]8;[^\x07\x1b]*(?:\x07|\x1b\\))")
"""Escape sequences that change the look of a text, but not what is read: colours and weights, and
erasing the rest of a line (SGR and EL of ECMA-48), modes such as the cursor's (DECSET), the
character set with which tput(1) ends, hyperlinks (OSC 8)."""


class _Shown(dict[int, str]):
    """Code point → how it is shown, worked out the first time it is met."""

    def __missing__(self, code: int) -> str:
        shown = self[code] = _show(code)
        return shown


def _show(code: int) -> str:
    character = chr(code)
    if character.isprintable() or character in SPACES:
        return character
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    elif code > 0x7F:
        return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return NAMED.get(code, f"\\x{code:02x}")


_shown = _Shown()


def escape(text: str) -> str:
    """Return `text` on one line and without anything that a terminal would obey."""
    return text if text.isprintable() else text.translate(_shown)


def without_styles(text: str) -> str:
    """Return what a program printed, without escape sequences for colours, links and the like."""
    return _STYLES.sub("", text) if "\x1b" in text else text


def shell_line(args: Iterable[str]) -> str:
    """Return a command as it would be typed in a shell; not escaped."""
    import shlex  # takes time, which only answers should cost, and not each recording

    return shlex.join(args).replace("""'"'"'""", r"'\''")


def stderr_line(sentence: str) -> str:
    """Return the line by which a sentence goes to a standard error that the program shares."""
    return f"scopetrace: {escape(sentence)}\n"


def print_to_stderr(sentence: str) -> None:
    """Write a sentence to standard error, if there is one. All our writes to it go through here."""
    if sys.stderr is not None:
        with suppress(OSError):  # a full disk or a closed pipe must not end the recording
            sys.stderr.write(stderr_line(sentence))
            sys.stderr.flush()
