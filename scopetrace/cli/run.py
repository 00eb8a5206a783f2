"""`scopetrace run`: become the program, with a recorder at its side."""

from __future__ import annotations

from pathlib import Path

import click

from scopetrace.cli.options import userconfig_option
from scopetrace.cli.shell_complete import complete_file
from scopetrace.errors import UsageError

VARIABLES = {
    "eventdest": "SCOPE_EVENT_DEST",
    "metricdest": "SCOPE_METRIC_DEST",
    "metricformat": "SCOPE_METRIC_FORMAT",
    "metricprefix": "SCOPE_STATSD_PREFIX",
}
"""Options that say for one run what these variables say for all."""


def destination(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """Return a destination as it was given, if it is one."""
    from scopetrace.config.destination import parse_destination

    try:
        parse_destination(text or "")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


@click.command(context_settings={"allow_interspersed_args": False})
@userconfig_option
@click.option(
    "-p", "--payloads", is_flag=True, help="Also record the bytes that go through connections."
)
@click.option(
    "-e",
    "--eventdest",
    metavar="DEST",
    callback=destination,
    help="Also send events there, at once: tcp://host:port, udp://…, tls://…, unix://PATH, a file.",
)
@click.option(
    "-m", "--metricdest", metavar="DEST", callback=destination, help="Also send metrics there."
)
@click.option(
    "--metricformat",
    type=click.Choice(["ndjson", "statsd"]),
    help="How metrics are sent: as JSON, or as lines of StatsD.",
)
@click.option("--metricprefix", metavar="TEXT", help="What comes before the names sent as statsd.")
@click.argument(
    "args", nargs=-1, type=click.UNPROCESSED, metavar="CMD...", shell_complete=complete_file
)
def run(
    userconfig: Path | None, payloads: bool, args: tuple[str, ...], **settings: str | None
) -> None:
    """Run a program and record what it does.

    The program has the terminal, the signals and the exit status it would have without scopetrace,
    and all the processes it starts are followed. Recording goes on while any of them lives. Use --
    before a program whose name is an option's or a command's.

    \b
    scopetrace run python3 log.py
    scopetrace run -u quiet.yml -- make -j4
    scopetrace run -p curl -s http://localhost/    then: scopetrace flows
    scopetrace run -e tcp://localhost:9109 -m udp://localhost:8125 --metricformat statsd nginx
    """
    if not args:
        raise UsageError("run needs a command: scopetrace run [-u FILE] [-p] [--] CMD...")
    from scopetrace.recorder.foreground import run_in_place

    asked = {VARIABLES[name]: value for name, value in settings.items() if value is not None}
    if payloads:
        asked["SCOPE_PAYLOAD_ENABLE"] = "true"
    run_in_place(list(args), userconfig, asked)
