"""Which lines of output and logs differ."""

from __future__ import annotations

from pathlib import Path

from scopetrace.model.event import Event
from scopetrace.query.diff.texts import MANY_VALUES
from support.session_builder import event, image
from support.two_runs import Run, child, compared, found


def wrote(*texts: str, source: str = "stdout", process: int = 1) -> list[Event]:
    return [event(source, process=process, message=text) for text in texts]


def test_a_line_of_one_session(tmp_path: Path) -> None:
    a, b = Run(wrote("one\n", "two\n")), Run(wrote("two\nthree\n"))

    assert found(tmp_path, a, b) == [
        ("only A", "stdout", "stdout", "one", None),
        ("only B", "stdout", "stdout", None, "three"),
    ]


def test_lines_that_differ_in_numbers_are_one_difference(tmp_path: Path) -> None:
    a, b = Run(wrote("3 passed in 0.12s\n")), Run(wrote("2 passed in 0.31s\n"))

    assert found(tmp_path, a, b) == [
        ("content", "stdout", "stdout", "3 passed in DURATION", "2 passed in DURATION")
    ]


def test_neither_order_nor_repetition_is_compared(tmp_path: Path) -> None:
    a, b = Run(wrote("x\ny\n")), Run(wrote("y\n", "x\n", "y\n"))

    assert found(tmp_path, a, b) == []


def test_what_a_process_writes_is_put_together_by_itself(tmp_path: Path) -> None:
    images = [image(), child(2, "other")]
    a = [*wrote("he"), *wrote("wor", process=2), *wrote("llo\n"), *wrote("ld\n", process=2)]
    b = [*wrote("hello\n"), *wrote("world\n", process=2)]

    assert found(tmp_path, Run(a, images), Run(b, images)) == []


def test_a_set_of_python_has_any_order(tmp_path: Path) -> None:
    a, b = Run(wrote("{'a', 'c', 'b'}\n")), Run(wrote("{'c', 'b', 'a'}\n"))

    assert found(tmp_path, a, b) == []
    assert len(found(tmp_path, a, Run(wrote("{'c', 'b', 'x'}\n")))) == 2


def test_a_last_line_without_an_end_counts_and_colours_do_not(tmp_path: Path) -> None:
    a, b = Run(wrote("\x1b[31mred\x1b[0m\r\n 50%\r100%")), Run(wrote("red\n", "100%\n"))

    assert found(tmp_path, a, b) == []


def log(first: int, count: int, status: int, source: str = "/app.log") -> Run:
    lines = [f"request {number} GET /x 200\n" for number in range(first, first + count)]
    return Run(wrote(*lines, f"request 7 GET /x {status}\n", source=source))


def test_in_logs_a_number_with_many_values_is_not_compared_and_others_are(tmp_path: Path) -> None:
    many = MANY_VALUES + 5
    assert found(tmp_path, log(100, many, 200), log(900, 3 * many, 200)) == []
    assert found(tmp_path, log(100, many, 200), log(900, 3 * many, 500)) == [
        ("only B", "log", "/app.log", None, "request N GET /x 500")
    ]


def test_of_many_lines_of_one_form_the_first_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    count = 3 * MANY_VALUES
    a, b = log(100, count, 200, "stdout"), log(100, 2 * count, 200, "stdout")
    differences = compared(tmp_path, a, b).differences

    assert len(differences) == MANY_VALUES
    assert sum(each.stands_for for each in differences) == count
    assert differences[0].b == f"request {100 + count} GET /x 200"


def test_a_nul_character_in_a_line(tmp_path: Path) -> None:
    assert found(tmp_path, Run(), Run(wrote("a\0 1\n"))) == [
        ("only B", "stdout", "stdout", None, "a\\0 1")
    ]


def test_what_was_sent_before_a_client_went_away_is_not_compared(tmp_path: Path) -> None:
    def log(*answers: str) -> Run:
        return Run(wrote(*(f'1.2.3.4 "GET /x HTTP/1.1" {each}\n' for each in answers)))

    assert found(tmp_path, log("200 512"), log("200 512", "200 0", "499 0")) == []
    assert len(found(tmp_path, log("200 512"), log("500 512"))) == 1


def test_the_course_of_things_in_logs_of_nginx_is_not_compared(tmp_path: Path) -> None:
    course = wrote(
        "2026/11/30 02:13:54 [notice] 31#31: signal 29 (SIGIO) received\n", source="/error.log"
    )
    assert found(tmp_path, Run(), Run(course)) == []


def test_the_command_line_of_a_process_follows_from_it(tmp_path: Path) -> None:
    b = Run(wrote("cc -c new.c\n", "done\n"), images=[image(), child(2, "cc", "-c", "new.c")])
    differences = compared(tmp_path, Run(), b).differences

    assert [(d.kind, d.b, d.follows) for d in differences] == [
        ("process", "exit 0", False),
        ("stdout", "cc -c new.c", True),
        ("stdout", "done", False),
    ]


def test_text_with_bytes_of_no_encoding_is_compared(tmp_path: Path) -> None:
    assert found(tmp_path, Run(), Run(wrote("a\udcff\n"))) == [
        ("only B", "stdout", "stdout", None, "a\udcff")
    ]
