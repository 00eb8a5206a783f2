from __future__ import annotations

import pytest

from scopetrace.model.flow import Address
from scopetrace.model.image import Image
from scopetrace.model.peer_names import MOST_NAMES, learn_names, name_of


@pytest.fixture
def image():
    return Image(1, 70, 1, 0)


def inet(host):
    return Address("inet6" if ":" in host else "inet", host, 80)


def test_an_address_has_the_name_that_was_looked_up_last(image):
    learn_names(image, "old.test", ["10.0.0.1", "10.0.0.2", "2001:db8::1"])
    learn_names(image, "new.test", ["10.0.0.2"])

    found = [name_of(image, inet(host)) for host in ("10.0.0.1", "10.0.0.2", "2001:db8::1")]
    assert found == ["old.test", "new.test", "old.test"]
    assert name_of(image, inet("10.0.0.3")) == ""
    assert name_of(image, None) == ""


def test_an_address_within_the_newer_internet_is_the_same(image):
    learn_names(image, "a.test", ["10.0.0.1"])

    assert name_of(image, inet("::ffff:10.0.0.1")) == "a.test"


def test_the_oldest_names_are_forgotten(image):
    for number in range(MOST_NAMES + 1):
        learn_names(image, f"{number}.test", [f"address {number}"])
        learn_names(image, "kept.test", ["address 0"])

    assert len(image.peer_names) == MOST_NAMES
    assert name_of(image, inet("address 0")) == "kept.test"
    assert name_of(image, inet("address 1")) == ""
    assert name_of(image, inet("address 2")) == "2.test"
