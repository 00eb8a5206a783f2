"""`scopetrace completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from scopetrace.cli import COMPLETION_VARIABLE
from scopetrace.cli.commands import PROGRAM, cli


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    With it, the Tab key completes commands, the program to run, options, session
    numbers, sources and fields. To install it:

    \b
    eval "$(scopetrace completion bash)"                                        # in ~/.bashrc
    eval "$(scopetrace completion zsh)"                                         # in ~/.zshrc
    scopetrace completion fish > ~/.config/fish/completions/scopetrace.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(cli, {}, PROGRAM, COMPLETION_VARIABLE).source()
    # That of fish would end a description at its first comma.
    click.echo(script.replace('string split ","', 'string split --max 1 ","'))
