"""A browser without a window, over the DevTools protocol through a pair of pipes.

`Browser` opens a page from disk, counts what it asks the network for and what it writes to the
console, and evaluates expressions in it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.harness import PATIENCE

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
FROM_BROWSER, TO_BROWSER = 4, 3
"""The descriptors that it writes to and reads from (--remote-debugging-pipe)."""


class Browser:
    """One page in a running browser."""

    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._waiting = b""
        self._sent = 0
        self._session: str | None = None
        self.requests: list[str] = []
        """URLs that the page asked for, other than its own."""
        self.console: list[str] = []
        """What it wrote to the console, violations of its policy and errors of scripts included."""
        self._loaded = False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def open(self, page: Path, width: int = 1280, height: int = 900) -> None:
        """Load a page from disk in a window of this size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self._loaded = False
        self.call("Page.navigate", url=page.as_uri())
        while not self._loaded:
            self._take(self._receive())
        self.requests = [url for url in self.requests if url != page.as_uri()]

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def drag(self, selector: str, start: float, end: float) -> None:
        """Drag the mouse over an element, between two shares of its width."""
        left, top, width = self.evaluate(
            f"""(({{ x, y, width }}) => [x, y, width])(
                document.querySelector({selector!r}).getBoundingClientRect())"""
        )
        steps = (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end))
        for kind, share in steps:
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=left + width * share,
                y=top + 5,
                button="left",
                buttons=0 if kind == "mouseReleased" else 1,
                clickCount=1,
            )

    def screenshot(self, path: Path) -> None:
        """Write a picture of what the window shows."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._sent += 1
        message: dict[str, Any] = {"id": self._sent, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._sent:
                assert "error" not in answer, answer
                return answer["result"]
            self._take(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            data = os.read(self._from, 1 << 16)
            assert data, "the browser ended"
            self._waiting += data
        line, _, self._waiting = self._waiting.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _take(self, message: dict[str, Any]) -> None:
        method, about = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.console.append(json.dumps(about))
        elif method == "Page.loadEventFired":
            self._loaded = True


@contextmanager
def browser(program: str, folder: Path) -> Iterator[Browser]:
    """Run a browser until the block ends; its profile is in `folder`."""
    their_input, to_browser = os.pipe()
    from_browser, their_output = os.pipe()

    def place_pipes() -> None:
        os.dup2(os.dup(their_input), TO_BROWSER)
        os.dup2(os.dup(their_output), FROM_BROWSER)

    command = [program, *OPTIONS, f"--user-data-dir={folder}"]
    running = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        preexec_fn=place_pipes,
    )
    os.close(their_input)
    os.close(their_output)
    try:
        yield Browser(to_browser, from_browser)
    finally:
        os.close(to_browser)
        os.close(from_browser)
        running.terminate()
        running.wait(PATIENCE)
