from __future__ import annotations

import pytest

from scopetrace.decode.state import signed


@pytest.mark.parametrize(
    ("register", "value"), [(5, 5), (2**64 - 1, -1), (2**32 - 1, -1), (2**33 + 7, 7)]
)
def test_an_int_argument_is_the_low_half_of_its_register(register, value):
    assert signed(register) == value
