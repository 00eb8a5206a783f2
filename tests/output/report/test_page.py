"""The page: nothing in it runs but its own script, whatever was recorded."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from scopetrace.model.shown import shell_line
from scopetrace.output.report.page import page, script_safe
from scopetrace.query import open_session
from scopetrace.query.report import read_report
from support.flow_builder import ENDS, channel, opened
from support.session_builder import closed, event, image, record

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>$script {{data}}"


class Elements(HTMLParser):
    """Collects elements, and the texts in scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") or tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        self.texts[self._inside] = self.texts.get(self._inside, "") + data


@pytest.fixture
def elements(tmp_path):
    events = [
        closed(f"/tmp/{HOSTILE}"),
        event("stdout", message=HOSTILE),
        event("proc.error", op="kill", what=HOSTILE, error="EPERM"),
    ]
    hostile = image(2, pid=71, parent=1, proc=HOSTILE, cmd=HOSTILE, args=(HOSTILE,))
    with open_session(record(tmp_path / "home", events, [hostile])) as session:
        found = read_report(session)
    info = found.summary.info._replace(command=HOSTILE, args=(HOSTILE,), cwd=HOSTILE)
    text = page(found._replace(summary=found.summary._replace(info=info)), "1.0").decode()
    parser = Elements()
    parser.feed(text)
    return parser


def test_hostile_texts_are_data(elements):
    tags = [tag for tag, _ in elements.found]
    assert tags.count("script") == 2
    assert "img" not in tags
    data = json.loads(elements.texts["data"])
    assert data["session"]["title"] == shell_line([HOSTILE])
    assert data["parts"]["lines"]["rows"][0][-1] == HOSTILE
    assert elements.texts["title"].startswith(HOSTILE)


def test_the_policy_allows_this_script_and_this_style_and_nothing_else(elements):
    (policy,) = [
        attrs["content"] for tag, attrs in elements.found if attrs.get("http-equiv") is not None
    ]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for element in ("script", "style"):
        digest = hashlib.sha256(elements.texts[element].encode()).digest()
        assert rules[f"{element}-src"] == f"'sha256-{base64.b64encode(digest).decode()}'"


def test_nothing_in_the_page_refers_to_another_place(elements):
    for _, attrs in elements.found:
        assert not {"src", "href", "srcset", "onclick", "onerror", "style"} & attrs.keys()
    style, script = elements.texts["style"], elements.texts["script"]
    assert not re.search(r"url\(|@import", style)
    assert not re.search(r"innerHTML|insertAdjacent|document\.write|eval\(|fetch\(", script)


def test_a_page_about_very_much_is_below_3_mb(tmp_path):
    long = "x" * 300
    asked = {**ENDS, "http_method": "GET", "http_target": f"/{long}"}
    events = [
        opened(),
        event("http.req", at=0.1, channel=channel(0), **asked),
        closed(f"/tmp/{long}"),
        event("fs.error", op="openat", error="ENOENT", file=f"/tmp/{long}/none"),
        event("stdout", message=f"{long}\n"),
        event("proc.error", op="kill", what=long, error="EPERM"),
    ]
    with open_session(record(tmp_path / "home", events)) as session:
        found = read_report(session)
    summary, many = found.summary, 20_000
    roots = tuple(
        node._replace(exit_code=1, images=(image(cmd=long),)) for node in summary.roots * many
    )
    text = page(
        found._replace(
            summary=summary._replace(
                roots=roots, files=summary.files * many, flows=summary.flows * many
            ),
            exchanges=[*found.exchanges] * many,
            texts=[*found.texts] * many,
            failures=[*found.failures] * many,
        ),
        "1.0",
    )

    assert 2_500_000 < len(text) < 3_000_000
    parts = json.loads(re.search(rb'id="data">(.*?)</script>', text, re.DOTALL)[1])["parts"]
    for name in ("processes", "files", "flows", "lines"):
        total = many * (2 if name == "files" else 1)
        assert len(parts[name]["rows"]) + parts[name]["left"] == total


def test_json_cannot_end_its_element():
    assert script_safe({"</script>": "<!--"}) == '{"\\u003c/script>":"\\u003c!--"}'
