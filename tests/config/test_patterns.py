from __future__ import annotations

import pytest

from scopetrace.config.patterns import compile_pattern, matches_everything


def test_an_expression_is_found_anywhere():
    assert compile_pattern(r"\.conf$").search("/etc/nginx/nginx.conf")


@pytest.mark.parametrize("text", ["(", "*", r"\z", r"[[:alpha:]]", "a{2,1}", "(?P<a>x)(?P<a>y)"])
def test_what_python_would_not_understand_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        compile_pattern(text)


def test_an_expression_nested_beyond_reason_is_refused():
    with pytest.raises(ValueError, match="nested too deeply"):
        compile_pattern("(" * 5000 + ")" * 5000)


@pytest.mark.parametrize("text", ["", ".*", "^.*"])
@pytest.mark.parametrize("subject", ["", "x", "\n", "a\nb"])
def test_what_is_taken_for_everything_is_found_in_anything(text, subject):
    assert matches_everything(text)
    assert compile_pattern(text).search(subject)


@pytest.mark.parametrize("text", [".+", "^.*$", "fs"])
def test_other_expressions_are_asked(text):
    assert not matches_everything(text)
