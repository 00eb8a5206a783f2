"""`scopetrace version`: the versions that a bug report should name."""

from __future__ import annotations

import os
import platform
import sqlite3

import click

from scopetrace import __version__


@click.command()
def version() -> None:
    """Print the versions of all that matters to a report.

    \b
    scopetrace version
    """
    machine = os.uname()
    click.echo(f"scopetrace {__version__}")
    click.echo(f"Python     {platform.python_version()}")
    click.echo(f"SQLite     {sqlite3.sqlite_version}")
    click.echo(f"Linux      {machine.release}")
    click.echo(f"machine    {machine.machine}")
