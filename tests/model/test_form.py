from __future__ import annotations

import pytest

from scopetrace.model.form import MORE, fields_of, form

OPENED = form("file", "fd", "flags")


def test_a_form_has_the_fields_that_are_filled_in_and_in_their_order():
    assert list(fields_of((OPENED, "/a", None, "O_RDONLY")).items()) == [
        ("file", "/a"),
        ("flags", "O_RDONLY"),
    ]
    assert fields_of((OPENED, None, 0, None)) == {"fd": 0}


def test_a_form_may_have_further_fields():
    shown = form("file", MORE, "fd", MORE)
    assert list(fields_of((shown, "/a", {"x": 1, "y": None}, 3, {})).items()) == [
        ("file", "/a"),
        ("x", 1),
        ("y", None),
        ("fd", 3),
    ]
    assert fields_of((shown, "/a", None, None, {"z": 2})) == {"file": "/a", "z": 2}


def test_fields_by_their_names_are_what_they_are():
    assert fields_of({"file": None}) == {"file": None}


def test_a_value_for_each_name_is_needed():
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        fields_of((OPENED, "/a"))
