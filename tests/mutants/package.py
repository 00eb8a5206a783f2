"""Alterations of Python, made by Cosmic Ray: those of its operators that are slips of a hand."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec
from stage import ROOT, Mutant, files_below

MOST = 1000
"""Alterations of one run."""
SINGLE = {
    "AddNot",
    "NumberReplacer",
    "ReplaceAndWithOr",
    "ReplaceOrWithAnd",
    "ReplaceBreakWithContinue",
    "ReplaceContinueWithBreak",
    "ReplaceTrueWithFalse",
    "ReplaceFalseWithTrue",
    "ZeroIterationForLoop",
    "ReplaceUnaryOperator_Delete_Not",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceBinaryOperator_Sub_Add",
    "ReplaceBinaryOperator_BitAnd_BitOr",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_IsNot_Is",
}


def mutants(chance: random.Random, folders: Sequence[str]) -> Iterator[Mutant]:
    """Yield alterations of the modules in these folders, drawn by chance, none twice.

    Only modules that are drawn are searched for what could be altered, which takes a second each.
    """
    modules = [
        ROOT / path for path in files_below(folders, ".py") if path.startswith("scopetrace/")
    ]
    sizes = [module.stat().st_size for module in modules]
    drawn: set[Mutant] = set()
    while modules and len(drawn) < MOST:
        found = specifications(*chance.choices(modules, sizes))
        mutant = altered(chance.choice(found)) if found else None
        if mutant and mutant not in drawn:
            drawn.add(mutant)
            yield mutant


def tests_of(mutant: Mutant) -> Iterator[list[str]]:
    """Yield the tests that an alteration may fail as arguments of pytest, the likeliest first."""
    path = Path("tests", *Path(mutant.path).parts[1:])
    mirror, folder = path.with_name(f"test_{path.name}"), Path(*path.parts[:2])
    likeliest = [str(each) for each in (mirror, folder) if (ROOT / each).exists()]
    for at, tests in enumerate([*likeliest, "tests"]):
        yield [tests, "--ignore=tests/gate", *(f"--deselect={done}" for done in likeliest[:at])]


@cache
def specifications(module: Path) -> list[MutationSpec]:
    """Return what Cosmic Ray could alter in a module by the operators named here."""
    with TemporaryDirectory() as made, use_db(f"{made}/work", WorkDB.Mode.create) as work:
        init([module], work, {})
        specs = [item.mutations[0] for item in work.work_items]
    return [spec for spec in specs if spec.operator_name.partition("/")[2] in SINGLE]


def altered(spec: MutationSpec) -> Mutant | None:
    """Return the altered module; None if nothing changes, or only when types are checked."""
    path, line = Path(spec.module_path), spec.start_pos[0]
    before = path.read_text()
    operator = get_operator(spec.operator_name)(**spec.operator_args)
    after = mutate_code(before, operator, spec.occurrence)
    if after is None or after == before or "TYPE_CHECKING" in before.splitlines()[line - 1]:
        return None
    old, new = before.splitlines()[line - 1].strip(), after.splitlines()[line - 1].strip()
    return Mutant(str(path.relative_to(ROOT)), line, f"{old} -> {new}", after)
