from __future__ import annotations

import pytest

from scopetrace.model.flow import Address
from scopetrace.sources.addresses import place_of


@pytest.mark.parametrize(
    ("peer", "text"),
    [
        (Address("inet", "10.0.0.1", 80), "10.0.0.1:80"),
        (Address("inet6", "::1", 80), "[::1]:80"),
        (Address("unix", "/run/x", 0), "/run/x"),
        (Address("unix", "", 0, 5), "its peer"),
        (None, "its peer"),
    ],
)
def test_places(peer, text):
    assert place_of(peer) == text
