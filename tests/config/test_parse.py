from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.config.document import Document
from scopetrace.config.parse import parse_document
from scopetrace.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", {}),
        ("# nothing but a comment\n", {}),
        ("---\na: 1\n...\n", {"a": "1"}),
        (
            "a: yes\nb: 0x10\nc: 2020-01-01\nd: '5'\n",
            {"a": "yes", "b": "0x10", "c": "2020-01-01", "d": "5"},
        ),
        ("a:\nb: ~\nc: null\n", {"a": None, "b": None, "c": None}),
        ("a: ''\nb: 'null'\n", {"a": "", "b": "null"}),
        ("a: [1, {b: 2}]\n", {"a": ["1", {"b": "2"}]}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": "1"}, "c": {"b": "1"}}),
        ("1: a\ntrue: b\n", {"1": "a", "true": "b"}),
        (r"a: '[\s\/\\\.]'", {"a": r"[\s\/\\\.]"}),
    ],
)
def test_a_scalar_stays_its_text(text, data):
    assert parse_document(text, "scope.yml").data == data


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n- b\n", "f.yml:1: expected keys and values at the top"),
        ("just words\n", "f.yml:1: expected keys and values at the top"),
        ("? [a]\n: b\n", "f.yml:1: a key must be a word"),
        ("? *a\n: b\n", "f.yml:1: a key must be a word"),
        ("a: 1\nb: *x\n", "f.yml:2: nothing before it is called &x"),
        ("a: &x [*x]\n", "f.yml:1: nothing before it is called &x"),
        ("a: 1\n---\nb: 2\n", "f.yml:3: a second document begins here"),
        ("a: b: c\n", "f.yml:1: no valid YAML: mapping values are not allowed in this context"),
        ("a: 1\nb: [\n", "f.yml:3: no valid YAML: did not find expected node content"),
        ("a: 1\nb: \x07\n", "f.yml:2: no valid YAML: control characters are not allowed"),
        ("a:\n\t- b\n", "f.yml:2: no valid YAML: found character that cannot start any token"),
        ("a: " + "[" * 200 + "]" * 200, "f.yml:1: nested too deeply"),
        ("- " * 200_000, "f.yml:1: nested too deeply"),
    ],
)
def test_what_is_no_good_yaml_is_named_by_line(text, message):
    with pytest.raises(ConfigError) as raised:
        parse_document(text, "f.yml")

    assert str(raised.value) == message


def test_values_outside_lists_are_expanded():
    document = parse_document("a: x\nb:\n  c: y\n  d: [z, {e: z}]\n", "f.yml", str.upper)

    assert document.data == {"a": "X", "b": {"c": "Y", "d": ["z", {"e": "z"}]}}


def test_many_aliases_cost_nothing():
    """Each line doubles the tree; only references are copied."""
    lines = ["a0: &a0 {x: 1}", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))]

    assert len(parse_document("\n".join(lines), "f.yml").data) == 60


@given(st.text(max_size=80))
def test_any_text_gives_a_tree_or_the_one_error(text):
    try:
        document = parse_document(text, "f.yml")
    except ConfigError as error:
        assert str(error).startswith("f.yml:")
    else:
        assert isinstance(document, Document)
