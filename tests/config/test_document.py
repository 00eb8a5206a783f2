from __future__ import annotations

from scopetrace.config.document import spell
from scopetrace.config.parse import parse_document


def test_every_value_keeps_its_line():
    document = parse_document("a:\n  - b\n  - c: 1\n    d: 2\n", "f.yml")

    assert document.sentence(("a", 1, "d"), "wrong") == "f.yml:4: a[1].d: wrong"
    assert document.sentence(("a", 0), "wrong") == "f.yml:2: a[0]: wrong"
    assert document.sentence((), "wrong") == "f.yml: wrong"


def test_a_value_of_no_known_place_has_that_of_what_holds_it():
    document = parse_document("a:\n  b: 1\n", "f.yml")

    assert document.sentence(("a", "b", "c", 0), "wrong") == "f.yml:2: a.b.c[0]: wrong"


def test_a_part_of_the_tree_is_named_from_the_top():
    part = parse_document("a:\n  b:\n    c: 1\n", "f.yml").under("a").under("b")

    assert part.data == {"c": "1"}
    assert part.sentence(("c",), "wrong") == "f.yml:3: a.b.c: wrong"


def test_paths_are_spelled_as_one_writes_them():
    assert spell(("event", "watch", 2, "name")) == "event.watch[2].name"
    assert spell(()) == ""
