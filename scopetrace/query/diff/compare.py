"""Two sessions compared, and what differs put in the order in which it answers most.

What varies between runs that are alike can be learned from further runs: what differs between the
first session and one of these is left out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

from scopetrace.model.difference import (
    CONTENT,
    ENVIRONMENT,
    FILE,
    LINE,
    LOG,
    ONLY_A,
    ONLY_B,
    PROCESS,
    PROGRAM,
    RESULT,
    SLOWER,
    STDERR,
    STDOUT,
    Difference,
    SessionDiff,
    Slower,
)
from scopetrace.query.diff.environment import compare_environments
from scopetrace.query.diff.facts import Facts
from scopetrace.query.diff.files import compare_files
from scopetrace.query.diff.names import (
    Names,
    Numbers,
    folders_of,
    names_in_temporary,
    temporary_names,
)
from scopetrace.query.diff.outcomes import compare_outcomes, compare_sizes
from scopetrace.query.diff.processes import align, compare_processes
from scopetrace.query.diff.texts import compare_texts
from scopetrace.query.path_classes import PathClasses

NOT_FOUND = "not found"


def compare_sessions(
    a: Facts, b: Facts, further: Sequence[Facts], classes: PathClasses, slower: Slower | None
) -> SessionDiff:
    """Return what differs between two sessions.

    Args:
        a, b: what is known of the two.
        further: sessions like `a`: what differs between it and these is left out.
        classes: of paths, by the configuration of `a`.
        slower: what to call slower; None: durations are not compared.
    """
    varied: set[Hashable] = set()
    for other in further:
        varied.update(each.key for each in _differences(a, other, classes, slower))
    found = list(_differences(a, b, classes, slower))
    kept = sorted((each for each in found if each.key not in varied), key=_rank)
    return SessionDiff(a.info, b.info, tuple(kept), len(found) - len(kept))


def _differences(
    a: Facts, b: Facts, classes: PathClasses, slower: Slower | None
) -> Iterator[Difference]:
    names = names_of(a, b)
    texts = {
        names[at].text(source)
        for at, facts in enumerate((a, b))
        for kind, source in facts.lines
        if kind == LOG
    }
    yield from compare_environments(a.environment, b.environment, names)
    processes = align(a.roots, b.roots, names)
    yield from compare_processes(processes, names, slower, (a.start_up_images, b.start_up_images))
    yield from compare_files(a.files, b.files, names, texts, processes.only_pids)
    yield from compare_outcomes(a.outcomes, b.outcomes, names, classes)
    yield from compare_sizes(a.sizes, b.sizes, names)
    commands = processes.other_commands
    for line in compare_texts(a.lines, b.lines, names):
        yield line._replace(follows=commands.issuperset({line.a, line.b} - {None}))


def names_of(a: Facts, b: Facts) -> tuple[Names, Names]:
    """Return what each of two sessions calls its things, so that both call them the same."""
    folders = folders_of(a.info.cwd, b.info.cwd)
    fixed = names_in_temporary(a.files) & names_in_temporary(b.files)
    shared = set(a.texts()).intersection(b.texts())
    first, second = (
        Names(
            called,
            Numbers(facts.numbers, facts.info.started_ns),
            temporary_names(facts.files, facts.info.cwd, shared),
            fixed,
            shared,
        )
        for facts, called in zip((a, b), folders, strict=True)
    )
    return first, second


def _rank(difference: Difference) -> tuple[bool, int]:
    """Return the place of a difference: what is of start-up only stands last."""
    return difference.is_startup, _importance(difference)


def _importance(difference: Difference) -> int:
    """Return how little a difference answers: what ended otherwise comes first, bytes last."""
    change, kind = difference.change, difference.kind
    for at, holds in enumerate(
        (
            kind == PROCESS and change == RESULT,
            kind == PROCESS and difference.aspect in (PROGRAM, ENVIRONMENT),
            kind == PROCESS and change in (ONLY_A, ONLY_B),
            kind == PROCESS and change == CONTENT,
            kind == FILE and change == RESULT,
            change == RESULT,
            kind == FILE and change in (ONLY_A, ONLY_B) and not _is_miss(difference),
            kind not in (FILE, STDERR, STDOUT, LOG) and change in (ONLY_A, ONLY_B),
            kind == STDERR,
            difference.aspect == LINE,
            change == CONTENT,
        )
    ):
        if holds:
            return at
    return 20 if change == SLOWER else 15


def _is_miss(difference: Difference) -> bool:
    """Return whether a file was only looked for, in one session, and not there."""
    return NOT_FOUND in (difference.a, difference.b)
