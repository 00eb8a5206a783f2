from __future__ import annotations

from scopetrace.dash.cursor import MOST_ROWS, Cursor
from scopetrace.dash.rows import PAGE, Part, Row, Want


class Numbers:
    """A view of the numbers below `count`, whose keys they are."""

    def __init__(self, count: int, height: int = 10) -> None:
        self.count = count
        self.cursor = Cursor()
        self.cursor.resize(height)
        self.load(Want())

    def part(self, want: Want) -> Part:
        edge = want.edge(want.forward, self.count)
        if want.forward:
            start = 0 if want.key is None else edge + 1
            found = range(start, min(start + want.most, self.count))
        else:
            found = range(max(edge - want.most, 0), edge)
        rows = [Row(number, (str(number),)) for number in found]
        return Part(rows, at_end=len(rows) < want.most)

    def load(self, want: Want, key: int | None = None) -> None:
        self.cursor.replace(self.part(want), want, key)
        self.extend(self.cursor.more())

    def extend(self, want: Want | None) -> None:
        while want is not None:
            self.cursor.extend(self.part(want), want)
            want = self.cursor.more()

    def move(self, rows: int) -> None:
        self.extend(self.cursor.move(rows))

    @property
    def chosen(self) -> int | None:
        return self.cursor.chosen.key if self.cursor.chosen else None

    @property
    def on_screen(self) -> list[int]:
        return [row.key for row in self.cursor.visible]


def test_every_row_can_be_reached_while_few_are_loaded():
    numbers = Numbers(5 * MOST_ROWS)
    seen = {numbers.chosen}
    for _ in range(5 * MOST_ROWS):
        numbers.move(1)
        seen.add(numbers.chosen)
        assert len(numbers.cursor.rows) <= MOST_ROWS
        assert numbers.chosen in numbers.on_screen
    assert seen == set(range(5 * MOST_ROWS))
    for wanted in range(5 * MOST_ROWS - 2, -1, -1):
        numbers.move(-1)
        assert numbers.chosen == wanted
    assert numbers.on_screen == list(range(10))


def test_the_screen_stands_still_while_rows_are_loaded():
    numbers = Numbers(5 * MOST_ROWS)
    numbers.move(PAGE - 25)
    before = numbers.on_screen
    numbers.move(1)

    assert numbers.on_screen == [number + 1 for number in before]


def test_the_first_and_the_last_row_are_one_step_away():
    numbers = Numbers(5 * MOST_ROWS)
    numbers.load(numbers.cursor.last())
    assert numbers.chosen == 5 * MOST_ROWS - 1
    assert numbers.cursor.is_last

    numbers.load(numbers.cursor.first())
    assert (numbers.chosen, numbers.cursor.is_last) == (0, False)


def test_without_rows_nothing_is_chosen_and_nothing_is_wanted():
    numbers = Numbers(0)
    numbers.move(1)
    numbers.move(-1)

    assert numbers.chosen is None
    assert numbers.on_screen == []


def test_the_rows_around_a_key_are_loaded_and_it_is_chosen():
    numbers = Numbers(5 * MOST_ROWS)
    numbers.load(Want(1000, including=True), 1000)

    assert numbers.chosen == 1000
    numbers.move(-1)
    assert numbers.chosen == 999


def test_reading_again_keeps_the_chosen_row_and_finds_new_ones():
    numbers = Numbers(5)
    numbers.move(3)
    numbers.count = 9
    numbers.load(numbers.cursor.again(), numbers.chosen)

    assert numbers.chosen == 3
    assert numbers.on_screen == list(range(9))


def test_reading_again_in_the_middle_begins_with_the_rows_that_are_loaded():
    numbers = Numbers(5 * MOST_ROWS)
    numbers.load(Want(1000, including=True), 1000)
    first = numbers.cursor.rows[0].key
    numbers.load(numbers.cursor.again(), numbers.chosen)

    assert (numbers.cursor.rows[0].key, numbers.chosen) == (first, 1000)


def test_a_higher_screen_is_filled():
    numbers = Numbers(30)
    numbers.move(29)
    numbers.cursor.resize(25)

    assert numbers.on_screen == list(range(5, 30))
    numbers.cursor.resize(0)
    assert numbers.on_screen == [29]


def test_a_page_moves_the_screen_by_its_height():
    numbers = Numbers(100)
    numbers.extend(numbers.cursor.page(1))
    assert numbers.on_screen == list(range(9, 19))
    numbers.extend(numbers.cursor.page(-1))
    assert numbers.on_screen == list(range(10))
