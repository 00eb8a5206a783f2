"""`scopetrace run`: run a program and record it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click

from scopetrace.cli.options import userconfig_option
from scopetrace.cli.shell_complete import complete_call_set, complete_command, complete_file
from scopetrace.errors import UsageError

VARIABLES = {
    "eventdest": "SCOPE_EVENT_DEST",
    "metricdest": "SCOPE_METRIC_DEST",
    "metricformat": "SCOPE_METRIC_FORMAT",
    "metricprefix": "SCOPE_STATSD_PREFIX",
    "syscalls": "SCOPE_SYSCALLS",
    "gate": "SCOPE_GATE",
}
"""Options → the variables that they set for one recording."""
SYSCALLS = "--syscalls"
"""The option whose value is optional."""


def destination(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """Check a destination and return it unchanged."""
    from scopetrace.config.destination import parse_destination

    try:
        parse_destination(text or "")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def page_file(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Check, before the program runs, that a page can be written, and return an absolute path."""
    if path is None:
        return None
    from scopetrace.recorder.page_file import check_page_file

    check_page_file(path)
    return path.absolute()


def call_set(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """Check a set of system calls and return it unchanged."""
    if text is None:
        return None
    from scopetrace.syscalls.call_set import UnknownCall, parse_call_set

    try:
        parse_call_set(text)
    except UnknownCall as error:
        raise click.BadParameter(str(error)) from None
    return text


class RunCommand(click.Command):
    """A command whose option --syscalls has a value only after `=`: else the program follows it."""

    def with_value(self) -> set[str]:
        """Return the names of the options that take the next argument."""
        return {
            name
            for param in self.params
            if isinstance(param, click.Option) and not param.is_flag
            for name in param.opts
            if name != SYSCALLS
        }

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give --syscalls the value `all` where it has none."""
        return super().parse_args(ctx, [*self._completed(args)])

    def _completed(self, args: list[str]) -> Iterator[str]:
        with_value = self.with_value()
        left = iter(args)
        for arg in left:
            yield f"{arg}=all" if arg == SYSCALLS else arg
            if arg == "--" or not arg.startswith("-"):
                break
            if arg in with_value or _ends_in(arg, with_value):
                yield from islice(left, 1)
        yield from left


def _ends_in(arg: str, names: set[str]) -> bool:
    """Return whether an argument is short options of which the last takes the next argument."""
    flags, last = arg[1:-1], f"-{arg[-1]}"
    return not arg.startswith("--") and last in names and not any(f"-{f}" in names for f in flags)


@click.command(cls=RunCommand, context_settings={"allow_interspersed_args": False})
@userconfig_option
@click.option(
    "-p",
    "--payloads",
    is_flag=True,
    help="Also record the bytes that connections send and receive.",
)
@click.option(
    SYSCALLS,
    metavar="[=SET]",
    callback=call_set,
    shell_complete=complete_call_set,
    help="Also record every system call whole, or those of a set: openat,%network,!close, /^get.",
)
@click.option(
    "--print",
    "printed",
    is_flag=True,
    help="With --syscalls: also print them to standard error as soon as they return.",
)
@click.option(
    "-e",
    "--eventdest",
    metavar="DEST",
    callback=destination,
    help="Also send events there at once: tcp://host:port, udp://…, tls://…, unix://PATH, FILE.",
)
@click.option(
    "-m",
    "--metricdest",
    metavar="DEST",
    callback=destination,
    help="Also send metrics there, each period.",
)
@click.option(
    "--metricformat",
    type=click.Choice(["ndjson", "statsd"]),
    help="Send metrics as JSON or as StatsD lines.",
)
@click.option("--metricprefix", metavar="TEXT", help="Prefix of the names of StatsD metrics.")
@click.option(
    "--summary/--no-summary",
    default=None,
    help="Print the summary of the session to standard error when the program ends.",
)
@click.option(
    "--gate",
    "gate",
    flag_value="auto",
    help="Record calls on files and sockets without stopping the program, where that is possible.",
)
@click.option("--no-gate", "gate", flag_value="off", help="Stop the program at each call.")
@click.option(
    "-q", "--quiet", is_flag=True, help="Do not end with the line that names the session."
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    callback=page_file,
    shell_complete=complete_file,
    help="Write the session as one HTML page when the program ends.",
)
@click.argument(
    "args", nargs=-1, type=click.UNPROCESSED, metavar="CMD...", shell_complete=complete_command
)
def run(
    userconfig: Path | None,
    payloads: bool,
    printed: bool,
    summary: bool | None,
    quiet: bool,
    report: Path | None,
    args: tuple[str, ...],
    **settings: str | None,
) -> None:
    """Run a program and record what it does.

    The program has the same terminal, signals and exit status as without scopetrace. All processes
    that it starts are recorded too; the recording ends when the last of them exits. Put -- before a
    program whose name looks like an option or is a command of scopetrace.

    \b
    scopetrace run python3 log.py                  then: scopetrace summary
    scopetrace run --summary make test             shows the summary at once
    scopetrace run -p --report web.html curl -s http://localhost/
    scopetrace run -u quiet.yml -- make -j4
    scopetrace run -p curl -s http://localhost/    then: scopetrace flows
    scopetrace run --syscalls cat notes.txt        then: scopetrace syscalls
    scopetrace run --syscalls=%network --print curl -s http://localhost/    prints them at once
    scopetrace run -e tcp://log:9109 -m udp://log:8125 --metricformat statsd nginx
    """
    if not args:
        raise UsageError("run needs a command: scopetrace run [-u FILE] [-p] [--] CMD...")
    from scopetrace.recorder.foreground import run_in_place

    asked = {VARIABLES[name]: value for name, value in settings.items() if value is not None}
    if printed:
        if not settings["syscalls"]:
            raise UsageError("--print needs --syscalls")
        asked["SCOPE_SYSCALL_PRINT"] = "true"
    if payloads:
        asked["SCOPE_PAYLOAD_ENABLE"] = "true"
    if summary is not None:
        asked["SCOPE_RUN_SUMMARY"] = str(summary).lower()
    if quiet:
        asked["SCOPE_RUN_HINT"] = "false"
    if report is not None:
        asked["SCOPE_RUN_REPORT"] = str(report)
    run_in_place(list(args), userconfig, asked)
