from __future__ import annotations

import pytest

from scopetrace.model.flow import Flow
from scopetrace.model.metric import METRICS as METRICS_THERE_ARE
from scopetrace.sources.http import SOURCE
from scopetrace.sources.needs import GROUPS
from support.http_talk import EVENTS, METRICS, NO_METRICS, Emitted, image_of

FLOW = Flow("IP.TCP", None, None, "client", 0)
NO_EVENTS = "event:\n  enable: false\n"


@pytest.mark.parametrize(
    ("config", "protocol", "read"),
    [
        (EVENTS + NO_METRICS, "HTTP", True),
        (NO_EVENTS + METRICS, "HTTP", True),
        ("event:\n  watch:\n  - type: http\n    name: resp\n" + NO_METRICS, "HTTP", True),
        (NO_EVENTS + NO_METRICS, "HTTP", False),
        (EVENTS, "TLS", False),
    ],
)
def test_a_flow_is_read_if_anything_of_it_is_wanted(config, protocol, read):
    reader = SOURCE(Emitted()).reader(image_of(config), FLOW, protocol)

    assert (reader is not None) == read


def test_what_it_needs_exists():
    assert SOURCE.needs.keys() == {"http.req", "http.resp"}
    assert all(group in GROUPS for groups in SOURCE.needs.values() for group in groups)


def test_its_metrics_exist():
    names = "req duration.server duration.client req.content_length resp.content_length"

    assert {f"http.{name}" for name in names.split()} <= METRICS_THERE_ARE.keys()
