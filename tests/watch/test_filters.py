from __future__ import annotations

import pytest

from scopetrace.config.schema import Filter
from scopetrace.watch.filters import _TESTS, ProcessFacts, is_about

NGINX = ProcessFacts(
    procname="nginx",
    cmd="nginx -g daemon off;",
    hostname="web1",
    username="www-data",
    env=("STAGE=test", "EMPTY=", "URL=a=b"),
    ancestors=("sh", "make", "bash"),
)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"procname": "nginx"},
        {"arg": "daemon off"},
        {"arg": "nginx -g"},
        {"hostname": "web1"},
        {"username": "www-data"},
        {"env": "STAGE"},
        {"env": "STAGE=test"},
        {"env": "EMPTY"},
        {"env": "EMPTY="},
        {"env": "URL=a=b"},
        {"ancestor": "sh"},
        {"ancestor": "bash"},
        {"procname": "nginx", "arg": "-g", "env": "STAGE", "ancestor": "make"},
    ],
)
def test_a_process_that_all_keys_match_is_meant(wanted):
    assert is_about(Filter(**wanted), NGINX)


@pytest.mark.parametrize(
    "wanted",
    [
        {"procname": "ngin"},
        {"procname": "nginx "},
        {"procname": ""},
        {"arg": "daemon on"},
        {"hostname": "web"},
        {"username": "root"},
        {"env": "STAG"},
        {"env": "STAGE="},
        {"env": "STAGE=tes"},
        {"env": "URL=a"},
        {"env": "test"},
        {"ancestor": "nginx"},
        {"ancestor": "mak"},
        {"procname": "nginx", "username": "root"},
        {"procname": "sh", "ancestor": "make"},
    ],
)
def test_one_key_that_does_not_match_is_enough(wanted):
    assert not is_about(Filter(**wanted), NGINX)


def test_every_key_of_a_filter_is_asked():
    assert _TESTS.keys() == set(Filter.__struct_fields__)
