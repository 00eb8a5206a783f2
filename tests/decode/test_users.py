from __future__ import annotations

from scopetrace.decode.users import group_name, user_name


def test_the_names_are_those_of_the_system():
    assert user_name(0) == "root"
    assert group_name(0) == "root"


def test_who_has_no_name_is_called_by_number():
    assert user_name(3_999_999_999) == "3999999999"
    assert group_name(3_999_999_999) == "3999999999"
    assert user_name(2**70) == str(2**70)
