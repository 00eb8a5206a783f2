"""No garbage is looked for while many objects are made."""

from __future__ import annotations

import gc

import pytest

from scopetrace.query.collection import without_collection


@pytest.mark.parametrize("collects", [True, False])
def test_afterwards_it_is_as_before(collects: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        with pytest.raises(LookupError), without_collection():
            assert not gc.isenabled()
            raise LookupError
        assert gc.isenabled() == collects
    finally:
        (gc.enable if before else gc.disable)()
