from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual import events

from scopetrace.dash.app import POLL_EVERY_S, Dashboard
from scopetrace.dash.keys import help_text
from scopetrace.dash.pane import Pane
from support.dashboard import drive, screen, settle, typed
from support.session_builder import begin, closed, event, image, record


def rows(lines: list[str]) -> list[str]:
    """Return the rows of a screen: between the heading and the last line."""
    return [line for line in lines[4:-1] if line]


def test_it_begins_with_the_processes(path):
    lines = drive(path)

    assert lines[0] == "session 1: exit 0: python3 log.py"
    assert lines[1].split()[:4] == ["1", "processes", "2", "files"]
    assert lines[3].split() == ["PID", "PPID", "START", "TIME", "END", "COMMAND"]
    assert [line.split()[0] for line in rows(lines)] == ["70", "80"]


def test_enter_narrows_a_process_to_its_files_and_a_file_to_its_events(path):
    assert [line.split()[-1] for line in rows(drive(path, "down", "enter"))] == [
        "/tmp/[red]out\\x1b[31m"
    ]
    lines = drive(path, "down", "enter", "enter")
    assert lines[2] == "sh[80] > /tmp/[red]out\\x1b[31m"
    assert [line.split()[0] for line in rows(lines)] == ["5", "6"]
    lines = drive(path, "down", "enter", "enter", "enter")
    assert "  file:  /tmp/[red]out\\x1b[31m" in lines


def test_backspace_widens_to_the_row_that_was_chosen(path):
    lines = drive(path, "down", "enter", "enter", "backspace", "backspace", "enter")

    assert lines[2] == "sh[80]"


def test_backspace_at_the_first_place_does_nothing(path):
    assert drive(path, "backspace") == drive(path)


def test_a_number_or_an_arrow_shows_the_same_in_another_view(path):
    lines = drive(path, "down", "enter", "7")

    assert lines[2] == "sh[80]"
    assert [line.split()[0] for line in rows(lines)] == ["5", "6"]
    lines = drive(path, "down", "enter", "enter", "3")
    assert lines[2] == "sh[80]"
    lines = drive(path, "down", "enter", "enter", "4")
    assert lines[2] == "sh[80] > /tmp/[red]out\\x1b[31m"
    assert drive(path, "2") == drive(path, "right")
    assert drive(path, "1") == drive(path, "right", "left")


def test_space_folds_what_is_below_a_process_and_shows_it_again(path):
    assert [line.split()[-3:] for line in rows(drive(path, "space"))] == [
        ["[+1]", "python3", "log.py"]
    ]
    assert rows(drive(path, "space", "space")) == rows(drive(path))
    back = drive(path, "space", "enter", "backspace")
    assert len(rows(back)) == 1, "the way back leads to what was folded"


def test_only_the_tree_can_be_folded(path):
    said = "only the tree of processes can be folded: 1 shows it"
    assert drive(path, "s", "space")[-1] == said
    assert drive(path, "2", "space")[-1] == said


def test_a_slash_filters_and_an_empty_text_shows_all(path):
    lines = drive(path, "slash", *typed("exit"), "enter")

    assert lines[2] == "contains: exit"
    assert [line.split()[0] for line in rows(lines)] == ["80"]
    keys = ["slash", *typed("x"), "enter", "slash", "backspace", "enter"]
    assert [line.split()[0] for line in rows(drive(path, *keys))] == ["70", "80"]


def test_escape_leaves_the_filter_as_it_was(path):
    lines = drive(path, "slash", *typed("zzz"), "escape")

    assert lines == drive(path)


def test_q_is_a_letter_while_a_filter_is_typed(path):
    assert drive(path, "slash", *typed("qsx"), "enter")[2] == "contains: qsx"


def test_what_is_typed_fast_behind_a_slash_is_no_command(path):
    async def go():
        async with Dashboard(path, "1").run_test() as pilot:
            for key in ("7", "slash", *typed("7srq"), "enter"):
                pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await settle(pilot)
            return screen(pilot)

    lines = asyncio.run(go())
    assert lines[2] == "contains: 7srq"
    assert lines[3].split()[0] == "ID"


def test_s_sorts_by_the_next_field_and_r_reverses(path):
    lines = drive(path, "2", "s")
    assert lines[2] == "sorted by bytes"
    assert rows(lines)[-1].endswith("/home/ann/app.conf")

    lines = drive(path, "2", "s", "r")
    assert lines[2] == "sorted by bytes  reversed"
    assert rows(lines)[0].endswith("/home/ann/app.conf")


def test_x_exports_the_view_to_a_file_that_is_asked_for(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = drive(path, "2", "x", "enter")

    assert lines[-1] == "4 lines written to scopetrace-1-files.csv"
    assert len(Path("scopetrace-1-files.csv").read_text().splitlines()) == 4
    assert drive(path, "2", "x", "enter")[-1] == "scopetrace-1-files.csv exists already"


def test_y_shows_the_command_line_of_this_view(path):
    lines = drive(path, "down", "enter", "y")

    assert any("scopetrace files -p 80 --id 1" in line for line in lines)
    assert drive(path, "down", "enter", "y", "y") == drive(path, "down", "enter")


def test_a_question_mark_explains_every_key(path):
    lines = drive(path, "question_mark")

    for line in help_text().splitlines():
        assert any(line in shown for shown in lines)
    assert drive(path, "question_mark", "q") == drive(path)


def test_q_quits(path):
    async def go():
        app = Dashboard(path, "1")
        async with app.run_test() as pilot:
            await settle(pilot)
            await pilot.press("q")
            await pilot.pause()
            return app.return_code

    assert asyncio.run(go()) == 0


def test_far_rows_are_read_when_they_are_reached(home):
    path = record(home, [event("fs.open", file=f"/{number}") for number in range(3000)])

    lines = drive(path, "7", "end")
    assert rows(lines)[-1].split()[0] == "3000"
    lines = drive(path, "7", "end", "pageup")
    assert rows(lines)[0].split()[0] == "2964"
    lines = drive(path, "7", *["pagedown"] * 30)
    assert rows(lines)[0].split()[0] == str(1 + 30 * 18)
    lines = drive(path, "7", "end", "home")
    assert rows(lines)[0].split()[0] == "1"


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60), (30, 8)])
def test_it_fits_every_size(path, size):
    for keys in ((), *zip("1234567"), ("question_mark",)):
        lines = drive(path, *keys, size=size)
        assert len(lines) == size[1]
        assert all(len(line) <= size[0] for line in lines)


def test_it_follows_the_size_of_the_terminal(home):
    writer = begin(home, args=("python3", "a" * 80, "log.py"))
    for number in range(2, 60):
        writer.add_process(image(number, pid=100 + number))
    writer.finish(exit_code=0)
    path = writer.path

    async def go():
        async with Dashboard(path, "1").run_test(size=(80, 24)) as pilot:
            await settle(pilot)
            await pilot.resize_terminal(120, 40)
            await settle(pilot)
            return screen(pilot)

    lines = asyncio.run(go())
    assert len(lines) == 40
    assert len(rows(lines)) == 35
    assert lines[0].endswith(" log.py")


@pytest.mark.parametrize("keys", [(), ("question_mark",), ("slash", "x")])
def test_a_session_that_is_recorded_grows_on_the_screen(home, keys):
    """Also below the help, and while a filter is typed."""
    writer = begin(home)
    writer.add_events([event("fs.open", file="/first")])
    writer.commit()

    async def go():
        async with Dashboard(writer.path, "1").run_test() as pilot:
            await settle(pilot)
            for key in ("7", "end", *keys):
                await pilot.press(key)
                await settle(pilot)
            before = len(pilot.app._cursor.rows)
            writer.add_events([event("fs.open", file="/second")])
            writer.commit()
            async with asyncio.timeout(20 * POLL_EVERY_S):
                while len(pilot.app._cursor.rows) == before:
                    await pilot.pause(0.05)
            shown = screen(pilot)
            if keys:
                await pilot.press("escape")
                await settle(pilot)
            return before, shown, screen(pilot)

    before, meanwhile, after = asyncio.run(go())
    assert before == 1
    assert [line.split()[-1] for line in rows(after)] == ["/first", "/second"]
    if keys == ("slash", "x"):
        assert meanwhile[-1] == "filter: Enter takes it, Escape leaves it"
    writer.finish(exit_code=0)


def test_a_shows_the_start_up_files_and_hides_them_again(home):
    writer = begin(home, config="scopetrace: {pathclasses: {loader: ['^/lib/']}}")
    writer.add_events([closed("/lib/libc.so"), closed("/home/ann/a")])
    writer.finish(exit_code=0)

    assert len(rows(drive(writer.path, "2"))) == 1
    assert len(rows(drive(writer.path, "2", "a"))) == 2
    assert drive(writer.path, "2", "a", "a") == drive(writer.path, "2")


def test_up_chooses_the_row_above(path):
    assert drive(path, "down", "up", "enter") == drive(path, "enter")


def test_nothing_that_was_recorded_is_obeyed(home):
    """Neither by the terminal nor, as markup, by the libraries that draw."""
    text = "[red]\x1b[31m[/]\x07\n\u202e\udcff漢[link=x]"
    ends = {"net_transport": "Unix.TCP", "unix_peer_path": f"/{text}"}
    events = [
        event("fs.open", file=f"/{text}"),
        event("fs.error", file=f"/{text}", op="openat", error="ENOENT"),
        event("net.open", channel=5, **ends),
        event(f"/{text}.log", message=text),
    ]
    hostile = image(2, pid=80, proc=text, cmd=text, args=(text,), exe=f"/bin/{text}")
    path = record(home, events, [hostile])

    shown = "[red]\\x1b[31m[/]\\x07\\n\\u202e\\xff漢[link=x]"
    for keys in (("1",), ("2",), ("3",), ("4",), ("5",), ("6",), ("7",), ("7", "enter")):
        lines = drive(path, *keys, size=(200, 24))
        assert all(line.isprintable() for line in lines), keys
        assert any(shown in line for line in lines), keys
    lines = drive(path, "2", "enter", "y", size=(200, 24))
    assert all(line.isprintable() for line in lines)


PLAIN, BOLD, REVERSED = (False, False), (True, False), (False, True)


@pytest.mark.parametrize(
    ("keys", "height", "styles"),
    [
        (("down",), 24, [BOLD, PLAIN, REVERSED, PLAIN]),
        (("7", "end"), 8, [BOLD, PLAIN, PLAIN, REVERSED]),
        (("7", "end", "up"), 8, [BOLD, PLAIN, REVERSED, PLAIN]),
    ],
)
def test_the_heading_is_bold_and_the_chosen_row_reversed(path, keys, height, styles):
    async def go() -> list[tuple[bool, bool]]:
        async with Dashboard(path, "1").run_test(size=(80, height)) as pilot:
            await settle(pilot)
            for key in keys:
                await pilot.press(key)
                await settle(pilot)
            pane = pilot.app.query_one(Pane)
            first = [next(iter(pane.render_line(y))).style for y in range(4)]
            return [(bool(style.bold), bool(style.reverse)) for style in first]

    assert asyncio.run(go()) == styles
