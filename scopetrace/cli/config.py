"""`scopetrace config`: the configuration that `scopetrace run` would use here and now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scopetrace.cli.options import print_utf8, userconfig_option
from scopetrace.errors import UsageError
from scopetrace.model.shown import escape, print_to_stderr

if TYPE_CHECKING:
    from scopetrace.config.schema import Config


@click.command()
@click.option(
    "--default",
    "stock",
    is_flag=True,
    help="Print the default scope.yml, with a comment on each key.",
)
@click.option(
    "--check",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Check this scope.yml; print what is wrong with it.",
)
@userconfig_option
def config(stock: bool, check: Path | None, userconfig: Path | None) -> None:
    """Print or check the configuration.

    Without options, print the effective configuration as YAML: the defaults, then your scope.yml,
    then the SCOPE_* variables.

    \b
    scopetrace config                        what a recording started here would use
    scopetrace config --default > scope.yml  a file to edit, with all keys explained
    scopetrace config --check scope.yml      is it right?
    """
    if stock + (check is not None) + (userconfig is not None) > 1:
        raise UsageError("--default, --check and --userconfig do not go together")
    if check is None:
        print_utf8()
    if stock:
        _print_stock()
    elif check is not None:
        from scopetrace.config.load import check_config

        _warn(check_config(check))
        print(f"{escape(str(check))} is valid")
    else:
        from scopetrace.config.load import load_config
        from scopetrace.config.serialize import dump_config

        print(dump_config(_warn(load_config(userconfig))).rstrip("\n"))


def _print_stock() -> None:
    from scopetrace.config.find import STOCK

    print(STOCK.read_text(encoding="utf-8").rstrip("\n"))


def _warn(loaded: Config) -> Config:
    """Print the warnings of a configuration on standard error."""
    for warning in loaded.warnings:
        print_to_stderr(warning)
    return loaded
