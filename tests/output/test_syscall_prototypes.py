from __future__ import annotations

import pytest

from scopetrace import _engine
from scopetrace.output.syscall_prototypes import prototype


@pytest.mark.parametrize("name", [name.partition("__")[0] for name, *_ in _engine.calls()])
def test_every_watched_call_has_a_prototype(name):
    assert f" {name}(" in (prototype(name) or "")


def test_a_prototype_names_types_and_arguments():
    assert prototype("unlink") == "long unlink(const char * pathname)"


def test_what_is_no_call_has_none():
    assert prototype("") is None
