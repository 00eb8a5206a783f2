"""Alterations of Python, made by Cosmic Ray: those of its operators that are slips of a hand."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec
from stage import ROOT, Mutant

FOLDERS = (
    "decode",
    "protocols",
    "streams",
    "sources",
    "store",
    "query",
    "watch",
    "metrics",
    "config",
    "output",
)
"""Folders of scopetrace/ that are altered; each has tests of its own in tests/FOLDER."""
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


def sample(count: int, chance: random.Random) -> list[Mutant]:
    """Return `count` alterations of as many places, drawn by chance."""
    specs = [spec for spec in specifications() if spec.operator_name.partition("/")[2] in SINGLE]
    found = (altered(spec) for spec in chance.sample(specs, min(len(specs), 2 * count)))
    return [mutant for mutant in found if mutant is not None][:count]


def specifications() -> list[MutationSpec]:
    """Return what Cosmic Ray could alter in the package."""
    package = ROOT / "scopetrace"
    modules = sorted(path for folder in FOLDERS for path in (package / folder).rglob("*.py"))
    with TemporaryDirectory() as made, use_db(f"{made}/work", WorkDB.Mode.create) as work:
        init(modules, work, {})
        return [item.mutations[0] for item in work.work_items]


def altered(spec: MutationSpec) -> Mutant | None:
    """Return the altered module; None if nothing of it changes."""
    path, line = Path(spec.module_path), spec.start_pos[0]
    before = path.read_text()
    operator = get_operator(spec.operator_name)(**spec.operator_args)
    after = mutate_code(before, operator, spec.occurrence)
    if after is None or after == before:
        return None
    old, new = before.splitlines()[line - 1].strip(), after.splitlines()[line - 1].strip()
    return Mutant(str(path.relative_to(ROOT)), line, f"{old} -> {new}", after)


def tests_of(mutant: Mutant) -> str:
    """Return the folder of tests that mirrors the module's own."""
    return f"tests/{Path(mutant.path).parts[1]}"
