from __future__ import annotations

import subprocess
import sys

import pytest

from scopetrace.config.patterns import compile_pattern, matches_everything
from support.interpreter import path_to_us


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


def test_the_same_expression_of_the_same_place_is_given_up_together():
    assert compile_pattern("a", "here") is compile_pattern("a", "here")
    assert compile_pattern("a", "here") is not compile_pattern("a", "there")
    assert compile_pattern("a", "here") is not compile_pattern("a", "here", ignore_case=True)


LIMITED = """
import os
import time
from scopetrace.config import patterns

patterns.SEARCH_LIMIT_S = 0.2
patterns.limit_searches()
quick, stuck, at_its_end = map(patterns.compile_pattern, ("a", "(a+)+$", "a*b"))
before = time.thread_time()
while time.thread_time() - before < 0.5:
    assert quick.search("a")
assert patterns.take_given_up() == []
assert not stuck.search("a" * 60 + "b")
assert not at_its_end.search("a" * 40_000)
assert patterns.take_given_up() == [stuck, at_its_end]
assert patterns.take_given_up() == []
assert not stuck.search("a")
assert stuck.unsearched == 1
assert quick.search("a")
os._exit(0)  # as the recorder ends: no tick can come after its handler
"""


def test_one_search_that_takes_long_is_given_up_and_many_short_ones_are_not():
    subprocess.run([sys.executable, "-c", LIMITED], check=True, env=path_to_us(), timeout=60)
