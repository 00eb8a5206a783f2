"""The page in a real browser: it opens from disk, asks for nothing, and texts stay texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.browser import Browser, browser
from support.harness import Stage, scopetrace_command, wait_for
from support.interpreter import python
from support.net_peers import HOST, web_server

NAME = "x<img src=x onerror=alert(1)>.txt"
SCRIPT = f"""
import sys, urllib.request
open({NAME!r}, "w").write("hi" * 4000)
print("<script>alert(1)</script><b>bold</b>")
print("no luck with /none/such", file=sys.stderr)
url = sys.argv[1]
urllib.request.urlopen(url + "/chunks/2500?a=<i>").read()
urllib.request.urlopen(urllib.request.Request(url + "/form", b"<u>x</u>")).read()
try: open("/none/such")
except OSError: sys.exit(3)
"""


@pytest.fixture(scope="module")
def chromium(
    needs: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    with browser(needs("chromium"), tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about a Python program that fails after two requests."""
    stage = Stage(tmp_path_factory.mktemp("stage"), None)
    stage.prepare()
    stage.new_home()
    with web_server(stage.folder) as server:
        command = [python(), "-c", SCRIPT, f"http://{HOST}:{server.port}"]
        assert stage.run(scopetrace_command("run", "-p", "--", *command)).status == 3
    path = stage.work / "report.html"
    ending = stage.run(scopetrace_command("report", "-o", str(path)))
    assert (ending.status, ending.stderr) == (0, b"")
    return path


@pytest.fixture(autouse=True)
def nothing_seen(chromium: Browser) -> None:
    """Forget what earlier tests had the browser do."""
    chromium.requests.clear()
    chromium.console.clear()


def text_of(chromium: Browser, selector: str) -> str:
    return str(chromium.evaluate(f"document.querySelector({selector!r}).textContent"))


def searched(chromium: Browser, words: str) -> str:
    """Search the page and return all that it shows then."""
    chromium.evaluate(f"search.value = {words!r}; render(searchWords())")
    return text_of(chromium, "main")


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_shows_what_the_program_did(chromium: Browser, page: Path, width: int) -> None:
    chromium.open(page, width)

    assert (chromium.requests, chromium.console) == ([], [])
    assert chromium.evaluate("document.documentElement.scrollWidth") == width
    assert chromium.evaluate("document.querySelector('header').className") == "failed"
    assert "exit 3 ← open /none/such: ENOENT" in text_of(chromium, "#verdict")
    assert "no luck with /none/such" in text_of(chromium, "#verdict")
    assert "/none/such" in text_of(chromium, "#errors")
    assert NAME in text_of(chromium, "#files")
    assert "<script>alert(1)</script><b>bold</b>" in text_of(chromium, "#output")
    assert chromium.evaluate("document.querySelectorAll('img, main b, main script').length") == 0
    assert chromium.evaluate("document.querySelectorAll('#timeline rect.bad').length") == 1


def test_conversations_have_requests_with_bodies(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    assert "POST" in searched(chromium, "/form")

    def opened() -> bool:
        chromium.evaluate("document.querySelectorAll('details').forEach((it) => it.open = true)")
        return "<u>x</u>" in text_of(chromium, "#network")

    wait_for(opened, "the bodies of requests to be shown")
    assert "Content-Length: 8" in text_of(chromium, "#network")
    assert (chromium.requests, chromium.console) == ([], [])


def test_a_part_of_the_time_can_be_enlarged(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    ticks = "[...document.querySelectorAll('#timeline .tick')].map((tick) => tick.textContent)"
    whole = chromium.evaluate(ticks)
    chromium.drag("#timeline svg", 0.6, 0.61)
    wait_for(lambda: chromium.evaluate(ticks) != whole, "the drawing to change")

    bar = "Number(document.querySelector('#timeline rect.bad').getAttribute('width'))"
    assert chromium.evaluate(bar) > 900, "the program ran all of that time"
    chromium.evaluate("document.querySelector('#timeline button').click()")
    assert chromium.evaluate(ticks) == whole
    assert (chromium.requests, chromium.console) == ([], [])


def test_a_change_of_the_search_field_is_a_search(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.evaluate(
        "search.value = 'nobody wrote this'; search.dispatchEvent(new Event('input'))"
    )
    wait_for(lambda: "Nothing found." in text_of(chromium, "main"), "the search to be made")


def test_a_search_narrows_every_part(chromium: Browser, page: Path) -> None:
    chromium.open(page)

    assert "no luck with /none/such" in searched(chromium, "No LUCK")
    assert NAME not in text_of(chromium, "#files")
    assert "Nothing found." in searched(chromium, "nobody wrote this")
    assert NAME in searched(chromium, "")


def test_the_policy_keeps_the_network_out(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    answer = chromium.evaluate(
        f"fetch('http://{HOST}:9/').then(() => 'sent', (error) => String(error))"
    )

    assert "TypeError" in answer
    assert any("Content Security Policy" in line for line in chromium.console)
