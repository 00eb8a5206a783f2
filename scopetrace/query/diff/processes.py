"""Processes of two sessions side by side: which ran in one only, and how the others ended.

Processes are paired level by level, below parents that are a pair. First those that did the same
with all below them, whatever their order; then those of the same command line; last those of the
same program that share at least half of their words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from scopetrace.model.difference import (
    ARGUMENTS,
    CONTENT,
    DURATION,
    FOLDER,
    ONLY_A,
    ONLY_B,
    PRESENCE,
    PROCESS,
    PROGRAM,
    RESULT,
    SLOWER,
    STATUS,
    USER,
    Difference,
    Slower,
)
from scopetrace.model.file_record import OWN, SYSTEM
from scopetrace.model.names import signal_name
from scopetrace.model.process_tree import ProcessNode, all_nodes
from scopetrace.model.shown import shell_line
from scopetrace.query.diff.names import Names

LEAST_SHARED = 0.5
"""Of the words of two command lines, so many must be shared for one to be the other, changed."""
MOST_COMPARED = 40_000
"""Pairs of command lines that are compared word by word among children of one process."""

PIPE_CLOSED = frozenset(("exit 0", "SIGPIPE"))
"""Which of these a process ends with that writes to `head` depends on which was faster."""

Words = Counter[str]
NO_WORDS: Words = Counter()


class Run:
    """One process, as it is compared."""

    __slots__ = ("args", "base_words", "children", "end", "key", "node", "same", "words")

    def __init__(self, node: ProcessNode, names: Names, children: Sequence[Run]) -> None:
        last = node.process
        self.node = node
        self.children = children
        self.args = tuple(map(names.text, last.args or (last.cmd,)))
        self.key = (tuple(image.proc for image in node.images), self.args)
        self.end = _end_of(node)
        self.words: Words = Counter(" ".join(self.args).split())
        self.base_words: Words = Counter(word.rpartition("/")[2] for word in self.words.elements())
        """Its words without the folders of paths: by these another run of it is recognised."""
        self.same: Hashable = None
        """Equal for two processes that did the same, with all below them."""

    @property
    def label(self) -> str:
        """Its command line."""
        return shell_line(self.args)

    @property
    def size(self) -> int:
        """How many processes it is, with all below it."""
        return sum(1 for _ in self.node.walk())


class Pair:
    """A process of A and the one of B that it corresponds to."""

    __slots__ = ("a", "b", "changed", "parent")

    def __init__(self, a: Run, b: Run, parent: Pair | None) -> None:
        self.a, self.b, self.parent = a, b, parent
        self.changed = (a.words - b.words, b.words - a.words)
        """Words of the command line that are only in A, and only in B."""


def _end_of(node: ProcessNode) -> str:
    """Return how a process ended; empty: that was not recorded."""
    if node.signal is not None:
        return signal_name(node.signal)
    return "" if node.exit_code is None else f"exit {node.exit_code}"


class _Signatures(dict[Hashable, int]):
    """Numbers what processes did, so that equal subtrees have equal numbers."""

    def __missing__(self, what: Hashable) -> int:
        number = self[what] = len(self)
        return number


def read_runs(
    roots: Iterable[ProcessNode], names: Names, signatures: dict[Hashable, int]
) -> list[Run]:
    """Return the processes of a session as they are compared, those without a parent."""
    made: dict[int, Run] = {}
    roots = list(roots)
    for node in reversed([*all_nodes(roots)]):
        run = Run(node, names, [made.pop(id(child)) for child in node.children])
        below = tuple(sorted(signatures[child.same] for child in run.children))
        run.same = (run.key, run.end, below)
        made[id(node)] = run
    return [made[id(root)] for root in roots]


class Alignment:
    """The pairs of two sessions, parents first, and what was left over in each."""

    def __init__(self, a: Sequence[Run], b: Sequence[Run]) -> None:
        self.pairs: list[Pair] = []
        self.only_a: list[Run] = []
        self.only_b: list[Run] = []
        first = [Pair(a[0], b[0], None)] if a and b else []
        self.pairs += first
        self._align(a[len(first) :], b[len(first) :], None)
        for pair in self.pairs:  # which grows meanwhile
            self._align(pair.a.children, pair.b.children, pair)

    @property
    def only_pids(self) -> tuple[frozenset[int], frozenset[int]]:
        """The processes that went further in A, and in B, than in the other session.

        They ran there only, or they succeeded there and failed in the other.
        """
        failed = [pair for pair in self.pairs if pair.a.node.failed != pair.b.node.failed]
        further_a = {pair.a.node.pid for pair in failed if pair.b.node.failed}
        further_b = {pair.b.node.pid for pair in failed if pair.a.node.failed}
        return (
            _pids(self.only_a) - {pair.a.node.pid for pair in self.pairs} | further_a,
            _pids(self.only_b) - {pair.b.node.pid for pair in self.pairs} | further_b,
        )

    @property
    def other_commands(self) -> frozenset[str]:
        """The command lines that are in one session only."""
        changed = [
            run.label for pair in self.pairs if any(pair.changed) for run in (pair.a, pair.b)
        ]
        return frozenset(changed) | {run.label for run in (*self.only_a, *self.only_b)}

    def _align(self, a: Sequence[Run], b: Sequence[Run], parent: Pair | None) -> None:
        left_a, left_b = list(a), list(b)
        for key in _KEYS:
            left_a, left_b = self._pair(left_a, left_b, key, parent)
        left_a, left_b = self._pair_similar(left_a, left_b, parent)
        self.only_a += left_a
        self.only_b += left_b

    def _pair(
        self, a: list[Run], b: list[Run], key: Callable[[Run], Hashable], parent: Pair | None
    ) -> tuple[list[Run], list[Run]]:
        """Pair those with equal keys, in their order; return those that are left."""
        if not a or not b:
            return a, b
        waiting: dict[Hashable, list[Run]] = defaultdict(list)
        for run in reversed(b):
            waiting[key(run)].append(run)
        left: list[Run] = []
        paired: set[int] = set()
        for run in a:
            same = waiting.get(key(run))
            if same:
                other = same.pop()
                paired.add(id(other))
                self.pairs.append(Pair(run, other, parent))
            else:
                left.append(run)
        return left, [run for run in b if id(run) not in paired]

    def _pair_similar(
        self, a: list[Run], b: list[Run], parent: Pair | None
    ) -> tuple[list[Run], list[Run]]:
        if not a or not b or len(a) * len(b) > MOST_COMPARED:
            return a, b
        paired: set[int] = set()
        for run, other in _similar(a, b):
            if id(run) not in paired and id(other) not in paired:
                paired |= {id(run), id(other)}
                self.pairs.append(Pair(run, other, parent))
        left_a, left_b = ([run for run in runs if id(run) not in paired] for runs in (a, b))
        return left_a, left_b


def _similar(a: Sequence[Run], b: Sequence[Run]) -> list[tuple[Run, Run]]:
    """Return those that may be pairs, the likeliest first, whichever session is A.

    Of two that are equally similar: that which ended alike, then that at the same place.
    """
    found = [
        ((-shared, run.end != other.end, abs(i - j), i + j), run, other)
        for i, run in enumerate(a)
        for j, other in enumerate(b)
        if (shared := _shared(run, other)) >= LEAST_SHARED
    ]
    return [(run, other) for _, run, other in sorted(found, key=lambda each: each[0])]


def _pids(runs: Iterable[Run]) -> frozenset[int]:
    return frozenset(node.pid for run in runs for _, node in run.node.walk())


_KEYS: tuple[Callable[[Run], Hashable], ...] = (
    lambda run: run.same,
    lambda run: (run.key, run.end),
    lambda run: run.key,
    lambda run: run.args,
)
"""What two processes must have in common to be a pair, tried in this order."""


def _shared(a: Run, b: Run) -> float:
    """Return which part of their words two processes of the same program share, from 0 to 1."""
    if a.node.process.proc != b.node.process.proc:
        return 0.0
    return (a.base_words & b.base_words).total() / max((a.base_words | b.base_words).total(), 1)


def align(
    a: Iterable[ProcessNode], b: Iterable[ProcessNode], names: tuple[Names, Names]
) -> Alignment:
    """Return the processes of two sessions in pairs."""
    signatures = _Signatures()
    return Alignment(read_runs(a, names[0], signatures), read_runs(b, names[1], signatures))


def compare_processes(
    found: Alignment,
    names: tuple[Names, Names],
    slower: Slower | None,
    start_up: tuple[frozenset[int], frozenset[int]],
) -> Iterator[Difference]:
    """Yield what differs between the processes of two sessions.

    Args:
        found: which correspond to which.
        names: what names are replaced by in each session.
        slower: when a process is called slower; None: never.
        start_up: the process images of each session that belong to the start-up.
    """
    yield from _ends(found.pairs)
    yield from _only(ONLY_A, found.only_a, start_up[0])
    yield from _only(ONLY_B, found.only_b, start_up[1])
    yield from _programs(found.pairs, names)
    yield from _arguments(found.pairs)
    yield from _circumstances(found.pairs, names)
    if slower is not None:
        yield from _durations(found.pairs, slower)


def _telling(pairs: Iterable[Pair], differs: Callable[[Pair], bool]) -> list[Pair]:
    """Return the pairs that differ, without those between the first process and the last cause."""
    found = [pair for pair in pairs if differs(pair)]
    through = {id(pair.parent) for pair in found}
    return [pair for pair in found if pair.parent is None or id(pair) not in through]


def _ends(pairs: Iterable[Pair]) -> Iterator[Difference]:
    for pair in _telling(pairs, _ended_otherwise):
        yield Difference(RESULT, PROCESS, STATUS, pair.b.label, pair.a.end, pair.b.end)


def _ended_otherwise(pair: Pair) -> bool:
    ends = {pair.a.end, pair.b.end}
    return len(ends) == 2 and "" not in ends and ends != PIPE_CLOSED


def _only(change: str, runs: Iterable[Run], start_up: frozenset[int]) -> Iterator[Difference]:
    """Yield processes that ran in one session only; equal ones are one difference."""
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for run in runs:
        path_class = SYSTEM if run.node.key in start_up else OWN
        counts[run.label, run.end or "running", path_class] += run.size
    for (label, end, path_class), count in counts.items():
        first, second = (end, None) if change == ONLY_A else (None, end)
        yield Difference(change, PROCESS, PRESENCE, label, first, second, path_class, count)


def _programs(pairs: Iterable[Pair], names: tuple[Names, Names]) -> Iterator[Difference]:
    """Yield which program was run by another path, once for all processes that ran it."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for pair in pairs:
        paths = (names[0].text(pair.a.node.process.exe), names[1].text(pair.b.node.process.exe))
        if paths[0] != paths[1]:
            counts[paths] += 1
    for (first, second), count in counts.items():
        name = second.rpartition("/")[2]
        yield Difference(CONTENT, PROCESS, PROGRAM, name, first, second, stands_for=count)


def _arguments(pairs: Iterable[Pair]) -> Iterator[Difference]:
    """Yield which arguments changed, except for what a process only passed on."""
    passed: dict[int, tuple[Words, Words]] = {}
    for pair in pairs:
        above = passed.get(id(pair.parent), (NO_WORDS, NO_WORDS))
        removed, added = pair.changed
        passed[id(pair)] = (above[0] | removed, above[1] | added)
        if set(removed) <= set(above[0]) and set(added) <= set(above[1]):
            continue
        yield Difference(
            CONTENT, PROCESS, ARGUMENTS, pair.b.label, " ".join(removed), " ".join(added)
        )


def _circumstances(pairs: Iterable[Pair], names: tuple[Names, Names]) -> Iterator[Difference]:
    """Yield in which other folder or as which other user a process ran, unless its parent did."""
    for aspect, of in ((FOLDER, _folder), (USER, _user)):
        sides = {id(pair): (of(pair.a, names[0]), of(pair.b, names[1])) for pair in pairs}
        for pair in pairs:
            first, second = sides[id(pair)]
            if first != second and sides.get(id(pair.parent)) != (first, second):
                yield Difference(CONTENT, PROCESS, aspect, pair.b.label, first, second)


def _folder(run: Run, names: Names) -> str:
    return names.text(run.node.process.cwd)


def _user(run: Run, names: Names) -> str:
    return run.node.process.username or str(run.node.process.uid)


def _durations(pairs: Iterable[Pair], slower: Slower) -> Iterator[Difference]:
    def took(run: Run) -> int:
        return (run.node.duration_ns or 0) // 1000

    def is_slower(pair: Pair) -> bool:
        first, second = took(pair.a), took(pair.b)
        return second - first >= slower.floor_us and second >= first * slower.factor

    for pair in _telling(pairs, is_slower):
        yield Difference(SLOWER, PROCESS, DURATION, pair.b.label, took(pair.a), took(pair.b))
