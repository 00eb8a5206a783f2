"""`scopetrace version`: the versions that a bug report should name."""

from __future__ import annotations

import os
import platform
import sqlite3

import click

from scopetrace import __version__


@click.command()
def version() -> None:
    """Print the versions that a bug report needs.

    \b
    scopetrace version
    """
    from scopetrace._engine import MACHINE

    click.echo(f"scopetrace {__version__}")
    click.echo(f"Python     {platform.python_version()}")
    click.echo(f"SQLite     {sqlite3.sqlite_version}")
    click.echo(f"Linux      {os.uname().release}")
    click.echo(f"engine     {MACHINE}")
