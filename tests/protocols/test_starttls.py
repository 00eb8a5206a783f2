from __future__ import annotations

from scopetrace.protocols.signatures import SIGNATURES
from scopetrace.protocols.starttls import UPGRADES


def test_upgrades_are_between_protocols_that_are_recognised():
    known = {"", *(signature.name for signature in SIGNATURES)}
    for protocol, (following, turns) in UPGRADES.items():
        assert {protocol, *following} <= known and "" not in following
        assert turns > 0
