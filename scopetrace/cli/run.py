"""`scopetrace run`: become the program, with a recorder at its side."""

from __future__ import annotations

from pathlib import Path

import click

from scopetrace.cli.complete import complete_file
from scopetrace.cli.options import userconfig_option
from scopetrace.errors import UsageError


@click.command(context_settings={"allow_interspersed_args": False})
@userconfig_option
@click.option(
    "-p", "--payloads", is_flag=True, help="Also record the bytes that go through connections."
)
@click.argument(
    "args", nargs=-1, type=click.UNPROCESSED, metavar="CMD...", shell_complete=complete_file
)
def run(userconfig: Path | None, payloads: bool, args: tuple[str, ...]) -> None:
    """Run a program and record what it does.

    The program has the terminal, the signals and the exit status it would have without scopetrace,
    and all the processes it starts are followed. Recording goes on while any of them lives. Use --
    before a program whose name is an option's or a command's.

    \b
    scopetrace run python3 log.py
    scopetrace run -u quiet.yml -- make -j4
    scopetrace run -p curl -s http://localhost/    then: scopetrace flows
    """
    if not args:
        raise UsageError("run needs a command: scopetrace run [-u FILE] [-p] [--] CMD...")
    from scopetrace.recorder import run_in_place

    run_in_place(list(args), userconfig, payloads)
