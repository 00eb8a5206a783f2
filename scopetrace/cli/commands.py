"""The table of commands, and how the first word selects one.

The module of a command is imported when the command is called: `--help` and `--version` import
none. A first word that is not a command is a program to run: `scopetrace ls` is `scopetrace run
ls`. The names of commands to come are refused there.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from scopetrace import __version__
from scopetrace.cli.help import HelpContext
from scopetrace.errors import CommandNotFound, UsageError

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
    "diff": ("scopetrace.cli.diff", "Show what changed between two recorded runs."),
    "who": ("scopetrace.cli.who", "Show who touched a file, a peer or a process, in order."),
    "why": (
        "scopetrace.cli.why",
        "Show why the program ended badly: failed calls, causes, stderr.",
    ),
    "events": ("scopetrace.cli.events", "Show the events of a session, or one of them in full."),
    "syscalls": (
        "scopetrace.cli.syscalls",
        "Show the system calls of a session, one to a line, as strace does.",
    ),
    "metrics": (
        "scopetrace.cli.metrics",
        "Show the metrics of a session: counts, sizes, durations.",
    ),
    "flows": (
        "scopetrace.cli.flows",
        "Show the network flows of a session, or the bytes of one.",
    ),
    "fields": ("scopetrace.cli.fields", "Show the fields of events, flows, files and metrics."),
    "explain": (
        "scopetrace.cli.explain",
        "Explain a system call, an error or a flag.",
    ),
    "lesson": (
        "scopetrace.cli.lesson",
        "List the lessons about system calls, or go through one.",
    ),
    "dash": (
        "scopetrace.cli.dash",
        "Look around in a session: processes, files, network, errors, logs, timeline.",
    ),
    "export": (
        "scopetrace.cli.export",
        "Write a session as files of other programs: trace, HAR, CSV, pcapng.",
    ),
    "report": (
        "scopetrace.cli.report",
        "Write a session as one HTML page, or print its peers and files.",
    ),
    "save": ("scopetrace.cli.save", "Write a whole copy of a session to a file."),
    "history": ("scopetrace.cli.history", "List the recorded sessions."),
    "ps": ("scopetrace.cli.ps", "List the processes that are being recorded now."),
    "stop": ("scopetrace.cli.stop", "End the recording of a session."),
    "prune": ("scopetrace.cli.prune", "Delete sessions: all but the last N, old ones, large ones."),
    "config": ("scopetrace.cli.config", "Print or check the configuration."),
    "version": ("scopetrace.cli.version", "Print the versions that a bug report needs."),
    "completion": ("scopetrace.cli.completion", "Print the completion script of a shell."),
}
"""Name → the module that holds a command of that name, and the first line of its help."""
ALIASES = {"hist": "history"}

NAMES_TO_COME = {
    "attach": "`scopetrace run` records a program from its start",
    "detach": "`scopetrace stop` ends a recording and leaves the program running",
    "inspect": "`scopetrace ps`, then `scopetrace summary`, show what a running program did",
    "update": "`scopetrace stop`, then `scopetrace run -u FILE`, record with another configuration",
    "watch": "`scopetrace events -f` shows events while they are recorded",
    "rules": "`scopetrace config` prints the rules in force",
    "service": "`scopetrace run` in ExecStart= of a unit records a service",
    "snapshot": "`scopetrace why` shows what processes did before they ended badly",
    "logs": "`scopetrace events -t file,console` shows what went into logs",
    "extract": "`scopetrace export` writes files, `scopetrace config --default` the configuration",
    "daemon": "`scopetrace run` needs no daemon",
    "start": "`scopetrace run` starts a program and records it",
    "top": "`scopetrace ps` lists the processes that are being recorded",
}
"""Names that commands may have one day → what to use now.

As a first word they start no program, so that no command line changes its meaning later.
"""

STATUSES = """\b
Exit status:
    0    success, also if there is nothing to show
    1    failure: no such session, an unreadable file; `diff`: a difference
    2    the command line or the configuration is wrong; `diff`: any failure
    130  ended by Ctrl-C
    141  the output pipe was closed (| head)
`run` has the exit status of the program. If it cannot start the program:
    126  the program is not executable
    127  there is no such program
"""


UNPAGED = ("run", "stop", "prune", "export", "save", "completion", "dash", "lesson")
"""Commands that ask, write files, or become a program; the others show long answers in a pager."""


class LazyGroup(click.Group):
    """A group whose commands are in COMMANDS; any other first word is a program to run."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which `--help` shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None if there is none of that name."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name][0]), name)
        command.context_class = HelpContext
        if name not in UNPAGED:
            from scopetrace.cli.pager import make_paged

            make_paged(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names, or `run` with all the words."""
        if args[0] in COMMANDS or args[0] in ALIASES:
            return super().resolve_command(ctx, args)
        if args[0] in NAMES_TO_COME:
            raise _no_command_yet(args[0])
        ctx.meta[PROGRAM] = args[0]
        return "run", self.get_command(ctx, "run"), args

    def invoke(self, ctx: click.Context) -> Any:
        """Invoke the command; if there is no such program, suggest a command."""
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
        """Write the commands from COMMANDS, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, options or else programs with this prefix; if none, files."""
        from click.shell_completion import CompletionItem

        from scopetrace.cli.shell_complete import programs

        found = [
            CompletionItem(name, help=line)
            for name, (_, line) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        found += click.Command.shell_complete(self, ctx, incomplete)
        return found or programs(incomplete) or [CompletionItem(incomplete, type="file")]


def _no_command_yet(name: str) -> UsageError:
    return UsageError(
        f"there is no command `{PROGRAM} {name}`: {NAMES_TO_COME[name]};"
        f" `{PROGRAM} run -- {name}` runs a program so called"
    )


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
@click.option("--no-pager", is_flag=True, help="Print also a long answer without a pager ($PAGER).")
@click.pass_context
def cli(ctx: click.Context, no_pager: bool) -> None:
    """Record what a program does with files, its console, other processes and the network.

    The other commands answer questions from the recorded session, the last one unless named.

    \b
    scopetrace run python3 log.py     record a program
    scopetrace python3 log.py         the same: python3 is no command of its own
    scopetrace summary                its files, logs and peers, how it ended
    scopetrace why                    why it failed
    scopetrace who app.conf           who read, wrote, renamed or deleted a file
    scopetrace events -s fs.open -a   every file that it opened
    scopetrace flows                  its network connections
    scopetrace history                all recorded sessions
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
