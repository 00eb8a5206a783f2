"""Answers as no standard has them, and as servers have sent them: and what curl makes of them.

Each is asked for first, and then a plain page, over the same connection if the answer leaves one.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from support.harness import PATIENCE, Stage
from support.net_events import notices
from support.net_peers import HOST, compare
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

HELLO = b"\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"\r\nTransfer-Encoding: chunked\r\n\r\n"

ODD = {
    "a name with a bracket": b"HTTP/1.1 200 OK\r\nX@(y): z" + HELLO,
    "a name in another script": b"HTTP/1.1 200 OK\r\n\xc3\xa9t\xc3\xa9: 1" + HELLO,
    "a space before the colon": b"HTTP/1.1 200 OK\r\nX : y" + HELLO,
    "no name": b"HTTP/1.1 200 OK\r\n: y" + HELLO,
    "no value": b"HTTP/1.1 200 OK\r\nX:" + HELLO,
    "a value with a control character": b"HTTP/1.1 200 OK\r\nX: \x01\x7f" + HELLO,
    "a continued line": b"HTTP/1.1 200 OK\r\nX: y\r\n\tz: 1" + HELLO,
    "lines without CR": b"HTTP/1.1 200 OK\nX: y\nContent-Length: 5\n\nhello",
    "a length said twice": b"HTTP/1.1 200 OK\r\nContent-Length: 5" + HELLO,
    "a length beside chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 99" + CHUNKED + b"0\r\n\r\n",
    "extensions and a trailer": b"HTTP/1.1 200 OK" + CHUNKED + b"5;a\r\nhello\r\n0\r\nX: y\r\n\r\n",
    "no reason": b"HTTP/1.1 200" + HELLO,
    "a reason in another script": b"HTTP/1.1 200 \xe6\x97\xa5" + HELLO,
    "an unknown status": b"HTTP/1.1 799 What" + HELLO,
    "hints before it": b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK" + HELLO,
    "the coding that is none": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello",
    "a page that ends with the connection": b"HTTP/1.0 200 OK\r\nX@: y\r\n\r\nhello",
}
LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbye"


class Answering(socketserver.StreamRequestHandler):
    timeout = PATIENCE

    def handle(self) -> None:
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            answer = self.server.answers.get(line.split()[1].decode(), LAST)
            self.wfile.write(answer)
            if answer.startswith(b"HTTP/1.0"):
                return


@contextmanager
def answering(answers: dict[str, bytes]) -> Iterator[int]:
    """Serve answers by their target, and a plain one at any other; yield the port."""
    with socketserver.ThreadingTCPServer((HOST, 0), Answering) as server:
        server.answers = answers
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def told_by_curl(output: bytes) -> list[tuple[str, int, int]]:
    """Return target, status and size of what curl got."""
    reported = [json.loads(line) for line in output.splitlines()]
    assert {each["exitcode"] for each in reported} <= {0}
    return [
        ("/" + each["url"].partition("/")[2], each["http_code"], each["size_download"])
        for each in reported
    ]


def test_what_curl_understands(stage: Stage, needs: Callable[[str], str]) -> None:
    answers = {"/" + name.replace(" ", "-"): answer for name, answer in ODD.items()}
    with answering(answers) as port:
        urls = [f"{HOST}:{port}{target}" for odd in answers for target in (odd, "/last")]
        command = [needs("curl"), "-q", "-sS", "-w", "%{json}\\n", *into_nothing(urls)]
        recording = compare(stage, command, same=told_by_curl)

    responses = [event.data for event in recording.of("http.resp")]
    assert len(responses) == 2 * len(ODD)
    assert [
        (
            each["http_target"],
            each["http_status_code"],
            each.get("http_response_content_length", 0),
        )
        for each in responses
    ] == told_by_curl(recording.ending.stdout)
    assert notices(recording) == []


def into_nothing(urls: list[str]) -> list[str]:
    return [word for url in urls for word in ("-o", "/dev/null", url)]


def test_of_two_lengths_none_is_believed(stage: Stage, needs: Callable[[str], str]) -> None:
    """Neither by curl nor by the event, and what follows is no message."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n" + LAST
    with answering({"/odd": answer}) as port:
        command = [needs("curl"), "-q", "-sS", "-m", "1", f"{HOST}:{port}/odd"]
        recording = compare(stage, command)

    (response,) = recording.of("http.resp")
    assert "http_response_content_length" not in response.data
    assert len(notices(recording)) == 1
