"""The explicit list of commands, and how the first word chooses among them.

A command's module is imported when the command is called and not before: `--help` and `--version`
import none. A first word that is no command is a program to run: `scopetrace ls` means
`scopetrace run ls`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from scopetrace import __version__
from scopetrace.errors import CommandNotFound

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "scopetrace"

COMMANDS = {
    "run": ("scopetrace.cli.run", "Run a program and record what it does."),
    "summary": (
        "scopetrace.cli.summary",
        "Show what ran and how it ended, its files, logs, peers and errors.",
    ),
    "files": ("scopetrace.cli.files", "Show which files the program used, and for what."),
    "tree": (
        "scopetrace.cli.tree",
        "Show the processes as a tree: command, how it ended, how long.",
    ),
    "events": ("scopetrace.cli.events", "Show the events of a session, or one of them in full."),
    "metrics": (
        "scopetrace.cli.metrics",
        "Show the metrics of a session: how much, how often, how long.",
    ),
    "flows": (
        "scopetrace.cli.flows",
        "Show the network flows of a session, or what went through one.",
    ),
    "export": (
        "scopetrace.cli.export",
        "Write the payload of a session to files for other programs.",
    ),
    "history": ("scopetrace.cli.history", "List the sessions that were recorded."),
    "ps": ("scopetrace.cli.ps", "List the processes that are being traced now."),
    "stop": ("scopetrace.cli.stop", "End the recording of a session."),
    "prune": ("scopetrace.cli.prune", "Delete sessions: all but the last N, old ones, large ones."),
    "config": ("scopetrace.cli.config", "Print or check the configuration."),
    "version": ("scopetrace.cli.version", "Print the versions of all that matters to a report."),
    "completion": ("scopetrace.cli.completion", "Print the completion script of a shell."),
}
"""Name → the module that holds a command of that name, and the first line of its help."""
ALIASES = {"hist": "history"}

STATUSES = """\b
Exit status:
    0    done; an empty answer included
    1    failed: no such session, a file that cannot be read...
    2    the command line or the configuration is wrong
    130  ended by Ctrl-C
    141  the reader of the output went away (| head)
`run` ends as the program does. If it cannot start the program:
    126  it is not executable
    127  there is no such command
"""


class LazyGroup(click.Group):
    """A group whose commands are rows of COMMANDS, and whose other first words are programs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which `--help` shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None if there is none of that name."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name][0]), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names, or `run` with all the words."""
        if args[0] in COMMANDS or args[0] in ALIASES:
            return super().resolve_command(ctx, args)
        ctx.meta[PROGRAM] = args[0]
        return "run", self.get_command(ctx, "run"), args

    def invoke(self, ctx: click.Context) -> Any:
        """Invoke the command; a program that is not there may be a command mistyped."""
        try:
            return super().invoke(ctx)
        except CommandNotFound:
            word = ctx.meta.get(PROGRAM)
            near = _nearest(word) if word else None
            if near is None:
                raise
            raise CommandNotFound(
                f"no command or program named '{word}'; did you mean `{PROGRAM} {near}`?"
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands from the list alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that begin so; if none does, leave it to the shell."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=line)
            for name, (_, line) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        found += click.Command.shell_complete(self, ctx, incomplete)
        return found or [CompletionItem(incomplete, type="file")]


def _nearest(word: str) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, [*COMMANDS, *ALIASES, "--help"], n=1)), None)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=STATUSES,
    subcommand_metavar="COMMAND|PROGRAM [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Record what a program does with files, its console, other processes and the network, and ask.

    \b
    scopetrace run python3 log.py     record a program
    scopetrace python3 log.py         the same: a first word that is no command is run
    scopetrace events                 the last events of the last session
    scopetrace events -s fs.open -a   every file it opened
    scopetrace flows                  who it talked to
    scopetrace history                what was recorded before
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
