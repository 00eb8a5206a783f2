"""Options that several commands share, and the types of option values.

Each type converts text to a number, or raises an error with examples.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from scopetrace.cli.shell_complete import complete_session
from scopetrace.errors import UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Command = TypeVar("Command", bound=Callable[..., Any])
Completer = Callable[[click.Context, click.Parameter, str], "list[CompletionItem] | list[str]"]
"""Returns what completes the value of an option."""

SECOND_NS = 1_000_000_000
SPAN_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
SPAN = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdw]))+")
SPAN_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?")
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?", re.IGNORECASE)
SIZE_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def count(text: str) -> int:
    """Return a number that is not negative."""
    if not text.isdecimal():
        raise click.BadParameter(f"'{text}' is not a number such as 20")
    return int(text)


def span(text: str) -> int:
    """Return a span of time such as `10s`, `1h30m` or `7d` in ns."""
    found = parse_span(text)
    if found is None:
        raise click.BadParameter(f"'{text}' is not a span of time such as 10s, 5m, 2h or 7d")
    return found


def moment(text: str) -> int:
    """Return a time such as `10m` (ago) or `14:05` as unix time in ns."""
    found = parse_moment(text, time.time_ns())
    if found is None:
        examples = "10m (ago), 14:05, 2026-11-23T14:05 or unix seconds"
        raise click.BadParameter(f"'{text}' is not a time such as {examples}")
    return found


def size(text: str) -> int:
    """Return a size such as `100M` in bytes; K is 1024."""
    match = SIZE.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"'{text}' is not a size such as 500K, 100M or 2G")
    return int(float(match[1]) * 1024 ** SIZE_POWERS[(match[2] or "").lower()])


def parse_span(text: str) -> int | None:
    """Return a span such as `1h30m` in ns, or None if `text` is not one."""
    if not SPAN.fullmatch(text):
        return None
    parts = SPAN_PART.findall(text)
    return sum(round(float(count) * SPAN_SECONDS[unit] * SECOND_NS) for count, unit in parts)


def parse_moment(text: str, now_ns: int) -> int | None:
    """Return the unix time in ns that `text` means at `now_ns`, or None if it is not a time.

    A span means so long ago; a time of day is in the last 24 h; without a time zone it is local
    time.
    """
    ago_ns = parse_span(text)
    if ago_ns is not None:
        return now_ns - ago_ns
    if re.fullmatch(r"\d+(\.\d+)?", text):
        second, _, fraction = text.partition(".")
        return int(second) * SECOND_NS + int(fraction.ljust(9, "0")[:9])
    try:
        return _unix_ns(_time_of_day(text, now_ns) or datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _time_of_day(text: str, now_ns: int) -> datetime | None:
    match = CLOCK.fullmatch(text)
    if match is None:
        return None
    now = datetime.fromtimestamp(now_ns / SECOND_NS)
    hour, minute, second = (int(part or 0) for part in match.groups())
    today = now.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return today if today <= now else today - timedelta(days=1)


def _unix_ns(when: datetime) -> int:
    whole = when.replace(microsecond=0)
    return int(whole.timestamp()) * SECOND_NS + when.microsecond * 1000


def is_given(value: Any) -> bool:
    """Return whether an option was given, perhaps as the number 0."""
    return value is not None and value is not False and value != ()


def option_name(parameter: str) -> str:
    """Return the long name of an option of the command that runs, by its parameter."""
    options = click.get_current_context().command.params
    return next(option.opts[-1] for option in options if option.name == parameter)


def refuse_together(options: Mapping[str, Any], *pairs: tuple[str, str]) -> None:
    """Refuse two options that exclude each other.

    Args:
        options: of the command that runs, by their parameters.
        pairs: parameters.

    Raises:
        UsageError: both of a pair were given.
    """
    for pair in pairs:
        if all(is_given(options[parameter]) for parameter in pair):
            raise UsageError(f"{' and '.join(map(option_name, pair))} do not go together")


def split_commas(
    ctx: click.Context, param: click.Parameter, values: Iterable[str]
) -> tuple[str, ...]:
    """Return the words of a repeatable option; each value may be a comma-separated list."""
    return tuple(word for value in values for word in value.split(",") if word)


def list_option(
    *names: str, help: str, metavar: str = "NAME,...", shell_complete: Completer | None = None
) -> Callable[[Command], Command]:
    """Return what adds an option that takes several values, and may be given more than once."""
    return click.option(
        *names,
        multiple=True,
        callback=split_commas,
        metavar=metavar,
        shell_complete=shell_complete,
        help=help,
    )


def session_option(command: Command) -> Command:
    """Add `-i/--id`, which reaches the command as `session_id`, a text or None."""
    return click.option(
        "-i",
        "--id",
        "session_id",
        metavar="ID|FILE",
        shell_complete=complete_session,
        help="The session: its ID (`history`) or the path of its file.  [default: the last one]",
    )(command)


def session_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `[ID|FILE]` and `-i/--id`, which reach the command as `session`, a text or None."""

    @wraps(command)
    def with_one_session(session: str | None, session_id: str | None, **options: Any) -> Any:
        if session is not None and session_id is not None:
            raise UsageError("a session can be named once: as an argument or by --id")
        return command(session=session_id if session is None else session, **options)

    add = click.argument(
        "session", required=False, metavar="[ID|FILE]", shell_complete=complete_session
    )
    return add(session_option(with_one_session))


def last_option(help: str, name: str = "--last") -> Callable[[Command], Command]:
    """Return what adds `-n/--last`, which reaches the command as `last`, a number or None."""
    return click.option("-n", name, "last", type=count, metavar="N", help=help)


def process_options(command: Command) -> Command:
    """Add `-p/--pid` and `--proc`, which reach the command as tuples."""
    by_name = list_option(
        "--proc", help="Only these programs: a name (nginx) or a pattern (python*)."
    )
    by_number = click.option(
        "-p", "--pid", type=int, multiple=True, metavar="PID", help="Only these processes."
    )
    return by_number(by_name(command))


def json_option(command: Command) -> Command:
    """Add `-j/--json`, which reaches the command as `as_json`."""
    return click.option(
        "-j",
        "--json",
        "as_json",
        is_flag=True,
        callback=_with_utf8,
        help="Print JSON, one object to a line.",
    )(command)


def _with_utf8(ctx: click.Context, param: click.Parameter, chosen: bool) -> bool:
    if chosen:
        print_utf8()
    return chosen


def print_utf8() -> None:
    """Switch standard output to UTF-8, whatever the locale.

    JSON is UTF-8 (RFC 8259, 8.1), as are scope.yml and Prometheus's format.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def userconfig_option(command: Command) -> Command:
    """Add `-u/--userconfig`, which reaches the command as a path or None."""
    return click.option(
        "-u",
        "--userconfig",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Use this scope.yml instead of ./scope.yml, ~/.config/scopetrace/scope.yml...",
    )(command)
