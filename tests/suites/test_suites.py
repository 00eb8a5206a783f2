"""What foreign suites say is read right; what differs is found; programs run both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from suites.compare import differences, line, run_suite, unlike
from suites.foreign import languages
from suites.unit import GATED, NATIVE, TRACED, Unit
from suites.verdicts import ENDING, JUNIT, LATE, Result, busybox, everything, go, junit, status, tap

ENDED = {ENDING: "1"}


def result(output: str, ending: int = 1, folder: Path = Path()) -> Result:
    return Result(output, ending, folder)


def test_verdicts_of_busybox() -> None:
    said = "PASS: cat -e\nFAIL: cp a\nSKIPPED: x\nUNTESTED: y\nPASS: cat -e\n"

    assert busybox(result(said)) == ENDED | {
        "cat -e": "PASS", "cp a": "FAIL", "x": "SKIP", "y": "SKIP", "cat -e (2)": "PASS"
    }  # fmt: skip


def test_verdicts_of_go() -> None:
    said = "=== RUN   TestA\n--- FAIL: TestA (0.00s)\n    --- PASS: TestA/b (0.00s)\nok\n"

    assert go(result(said)) == ENDED | {"TestA": "FAIL", "TestA/b": "PASS"}


def test_verdicts_of_tap() -> None:
    said = "ok 1 - a\nnot ok 2 - b\nok 3 # skip c\nnot ok 4 - d # TODO known breakage\nnok 5\n"

    assert tap(result(said)) == ENDED | {"1": "PASS", "2": "FAIL", "3": "SKIP", "4": "PASS"}


def test_verdicts_of_junit(tmp_path: Path) -> None:
    (tmp_path / JUNIT).write_text(
        '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
        '<testcase name="c"><skipped/></testcase></testsuite></testsuites>'
    )

    assert junit(result("", folder=tmp_path)) == ENDED | {"a": "PASS", "b": "FAIL", "c": "SKIP"}
    assert junit(result("", folder=tmp_path / "absent")) == ENDED


def test_a_unit_that_is_late_says_so() -> None:
    assert status(result("", LATE)) == {ENDING: "LATE"}


def test_output_is_compared_without_addresses_and_durations() -> None:
    assert everything(result("at 0x7f001234 in 1.5s")) == everything(result("at 0x7f00abcd in 2 s"))
    assert everything(result("a")) != everything(result("b"))


def test_all_that_a_unit_has_started_is_ended_with_it(tmp_path: Path) -> None:
    late = Unit(
        "late", ["sh", "-c", "sleep 1000 & echo $! >left; wait"], status, cwd=tmp_path, limit_s=1
    )

    assert late.verdicts(NATIVE) == {ENDING: "LATE"}
    state = Path(f"/proc/{(tmp_path / 'left').read_text().strip()}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_program_that_notices_differs() -> None:
    script = "grep -q 'TracerPid:.0$' /proc/self/status && echo PASS: a || echo FAIL: a"
    unit = Unit("noticing", ["sh", "-c", script], busybox)

    [found] = differences(unit, unit.verdicts(NATIVE), [NATIVE, TRACED])

    assert line(found) == "differs traced: a: 'PASS' -> 'FAIL'"


def test_a_verdict_that_comes_once_varies(tmp_path: Path) -> None:
    script = (
        f"echo x >>{tmp_path}/runs; [ $(wc -l <{tmp_path}/runs) = 2 ] && echo ok 1 || echo not ok 1"
    )
    unit = Unit("varying", ["sh", "-c", script], tap)

    [found] = differences(unit, unit.verdicts(NATIVE), [GATED])

    assert line(found) == "varies gated: 1: 'FAIL' -> 'PASS'"


def test_a_unit_that_said_nothing_differs_once() -> None:
    native = {"a": "PASS", "b": "PASS", ENDING: "0"}

    assert unlike(native, {ENDING: "LATE"}) == {ENDING: "LATE"}
    assert unlike(native, {"a": "PASS", ENDING: "1"}) == {"b": "absent", ENDING: "1"}


@pytest.mark.parametrize("language", ["cgo", "java", "jshell"])
@pytest.mark.timeout(300)
def test_programs_of_other_languages_do_the_same_in_the_gate(language: str) -> None:
    units = [unit for unit in languages(Path()) if unit.name == language]

    assert units and run_suite("languages", units, [NATIVE, GATED]) == []
