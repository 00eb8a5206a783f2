"""`scopetrace tree`: who started whom, and how each process ended."""

from __future__ import annotations

import sys
from typing import Any

import click

from scopetrace.cli.answers import (
    chosen_form,
    format_option,
    on_terminal,
    print_bodies,
    report_hidden,
    start_up_option,
)
from scopetrace.cli.options import count, session_argument
from scopetrace.model.shown import print_to_stderr


@click.command()
@session_argument
@click.option("-t", "--time", "times", is_flag=True, help="Begin lines with the time of the start.")
@click.option(
    "--failed", is_flag=True, help="Only processes that failed, and those that started them."
)
@click.option(
    "-p",
    "--pid",
    type=int,
    multiple=True,
    metavar="PID",
    help="Only these processes, and all that they started.",
)
@click.option("--depth", type=count, metavar="N", help="Only N levels below the first process.")
@start_up_option("processes")
@format_option
def tree(
    session: str | None,
    times: bool,
    failed: bool,
    pid: tuple[int, ...],
    depth: int | None,
    start_up: bool,
    form: str | None,
    as_json: bool,
) -> None:
    """Show the processes as a tree: command, how it ended, how long.

    Programs that replaced themselves by exec (sh, env, pyenv...) are one line with the last of
    them; what those scripts started before is left out on a terminal. A terminal of 100 columns or
    more also shows CPU time and memory (the largest resident set).

    \b
    scopetrace tree             of the last session
    scopetrace tree --failed    the processes that failed, and who started them
    scopetrace tree -t          with the time at which each began
    """
    from scopetrace.model.process_tree import PROCESS_FIELDS, all_nodes, subtrees
    from scopetrace.output.color import wants_color
    from scopetrace.output.tree import tree_lines
    from scopetrace.output.width import terminal_columns
    from scopetrace.query import open_session

    chosen = chosen_form(form, as_json)
    with open_session(session) as opened:
        roots, info = opened.tree(), opened.info
        shows_all = start_up or failed or pid or chosen != "table" or not on_terminal()
        hidden = frozenset() if shows_all else opened.start_up_images()
    if pid:
        roots = tuple(subtrees(roots, pid))
    if chosen != "table":
        nodes = [(level, node) for root in roots for level, node in root.walk()]
        bodies = [
            {**node.body(), "depth": level}
            for level, node in nodes
            if (depth is None or level <= depth) and (not failed or node.failed)
        ]
        print_bodies(chosen, bodies, ("depth", *PROCESS_FIELDS))
        return
    color = wants_color("auto", sys.stdout)
    width = terminal_columns(sys.stdout)
    shown: dict[str, Any] = {"depth": depth, "failed": failed, "times": times, "hidden": hidden}
    lines = [*tree_lines(roots, width, **shown, color=color, live=info.status == "running")]
    if not lines:
        which = " that failed" if failed else " that matches" if pid else ""
        print_to_stderr(f"session {info.id} has no process{which}")
    for line in lines:
        print(line)
    count = sum(node.key in hidden for node in all_nodes(roots))
    if count:
        report_hidden(count, "start-up process")
