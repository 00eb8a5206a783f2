"""Secrets are taken out, and what is none stays."""

from __future__ import annotations

import pytest

from scopetrace.model.process import ProcessEnd
from scopetrace.output.report.page import page
from scopetrace.query import open_session
from scopetrace.query.redact import (
    is_secret_name,
    redact_args,
    redact_cmd,
    redact_data,
    redact_env,
    redact_exchange,
    redact_header,
    redact_payload,
    redact_tags,
    redact_text,
    redact_url,
)
from scopetrace.query.report import read_report
from support.flow_builder import ENDS, channel, opened, piece
from support.session_builder import SECOND, STARTED_NS, begin, event, image

OUT = "[redacted]"
TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
LONG = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "proxy-authorization", "Cookie", "Set-Cookie", "X-Api-Key", "PGPASSWORD",
        "MYSQL_PWD", "accessToken", "client_secret", "AWS_SECRET_ACCESS_KEY", "authtoken", "pass",
        "db.password", "SESSION_ID", "X-Amz-Signature",
    ],
)  # fmt: skip
def test_secret_names(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["Host", "author", "tokenizer", "compass", "PATH", "bypass-cache", "passive"],
)
def test_other_names(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["ls", "-l", "/srv/data?", "a=b"], ["ls", "-l", "/srv/data?", "a=b"]),
        (["x", "--password", "p w", "rest"], ["x", "--password", OUT, "rest"]),
        (["x", "--db-password=p", "-v"], ["x", f"--db-password={OUT}", "-v"]),
        (["x", "API_KEY=abc"], ["x", f"API_KEY={OUT}"]),
        (["/bin/curl", "-u", "me:pw", "http://h/"], ["/bin/curl", "-u", OUT, "http://h/"]),
        (["curl", "-sSu", "me:pw"], ["curl", "-sSu", OUT]),
        (["curl", "-ume:pw", "-bid=1", "-s"], ["curl", f"-u{OUT}", f"-b{OUT}", "-s"]),
        (["/bin/mysql", "-psecret", "-p", "db"], ["/bin/mysql", f"-p{OUT}", "-p", "db"]),
        (["x", '{"password": "p w", "a": 1}'], ["x", f'{{"password": "{OUT}", "a": 1}}']),
        (["x", "{'api_key':'p'}"], ["x", f"{{'api_key':'{OUT}'}}"]),
        (
            ["sh", "-c", "curl -su a:b u -u c:d;x -u e"],
            ["sh", "-c", f"curl -su {OUT} u -u {OUT};x -u e"],
        ),
        (["sh", "-c", "curl -u 'a b:c' u | y"], ["sh", "-c", f"curl -u {OUT} u | y"]),
        (["sh", "-c", "x --cookie 'a=b; c'"], ["sh", "-c", f"x --cookie {OUT}"]),
        (["sort", "-u", "names"], ["sort", "-u", "names"]),
        (["sshpass", "-p", "pw", "ssh", "h"], ["sshpass", "-p", OUT, "ssh", "h"]),
        (["curl", "https://me:pw@h/a?k=v#x"], ["curl", f"https://{OUT}@h/a?{OUT}#x"]),
        (["curl", "-H", "Cookie: a=b; c=d"], ["curl", "-H", f"Cookie: {OUT}"]),
        (["curl", "-H", "Accept: text/html"], ["curl", "-H", "Accept: text/html"]),
        (["sh", "-c", "db --password p w"], ["sh", "-c", f"db --password {OUT} w"]),
        (["git", "clone", TOKEN], ["git", "clone", OUT]),
        (["x", LONG], ["x", OUT]),
        (["x", "/usr/lib/a-long-name/of-a-file/that-is/no-key/at-all-42.so"],) * 2,
        ([], []),
    ],
)
def test_arguments(args, expected):
    assert redact_args(args) == expected


def test_a_script_in_an_argument():
    script = (
        f"""curl -H "Authorization: Bearer a b" u; TOKEN='x y' TERM=xterm run --token={TOKEN}"""
    )

    assert redact_args(["sh", "-c", script]) == [
        "sh",
        "-c",
        f"""curl -H "Authorization: {OUT}" u; TOKEN={OUT} TERM=xterm run --token={OUT}""",
    ]


def test_a_command_line_is_made_of_its_arguments():
    args = ("x", "--password", "pw", "-v")

    assert redact_cmd("x --password pw -v ... (3 more)", args) == (
        f"x --password {OUT} -v ... (3 more)"
    )
    assert redact_cmd("nginx: worker TOKEN=abc", args) == f"nginx: worker TOKEN={OUT}"


def test_variables():
    assert redact_env(["HOME=/root", "GITHUB_TOKEN=abc", "URL=http://a:b@h/", "ODD"]) == [
        "HOME=/root",
        f"GITHUB_TOKEN={OUT}",
        f"URL=http://{OUT}@h/",
        "ODD",
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Cookie", "a=b", OUT),
        ("Location", "/next?code=1", f"/next?{OUT}"),
        ("Referer", "http://h/p", "http://h/p"),
        (":path", "/a?b", f"/a?{OUT}"),
        ("User-Agent", "curl/8", "curl/8"),
        ("X-Trace", LONG, OUT),
    ],
)
def test_header_fields(name, value, expected):
    assert redact_header(name, value) == expected


def test_urls_texts_and_payload_keep_their_form():
    assert redact_url("/a/b") == "/a/b"
    assert redact_url("/a?") == "/a?"
    assert redact_text("one\n\ntwo\n") == f"{OUT}\n\n{OUT}\n"
    assert redact_payload(b"secret") == b"xxxxxx"


def test_the_data_of_events():
    http = {"http_target": "/a?k=v", "http_host": "h", "x-api-key": "abc", "net_peer_port": 80}
    assert redact_data("http", http) == {**http, "http_target": f"/a?{OUT}", "x-api-key": OUT}
    start = {"args": ["x", "--token", "t"], "env": ["TOKEN=t"], "cwd": "/"}
    assert redact_data("process", start) == {
        "args": ["x", "--token", OUT],
        "env": [f"TOKEN={OUT}"],
        "cwd": "/",
    }
    assert redact_data("console", {"message": "hi\n", "piece": 1}) == {
        "message": f"{OUT}\n",
        "piece": 1,
    }
    assert redact_data("notice", {"message": "a limit"}) == {"message": "a limit"}
    assert redact_data("fs", {"holder_cmd": "x --token t"}) == {"holder_cmd": f"x --token {OUT}"}
    assert redact_data("http", {"grpc_message": "a t\n"}) == {"grpc_message": f"{OUT}\n"}


SECRET = "hunter2"


ASKED = {**ENDS, "http_method": "POST", "http_target": f"/a?q={SECRET}", "http_host": "box"}
ANSWERED = {**ASKED, "http_status_code": 200, "http_duration_us": 600_000}
POST = (
    f"POST /a?q={SECRET} HTTP/1.1\r\nHost: box\r\nCookie: {SECRET}\r\n"
    f"Content-Length: {len(SECRET)}\r\n\r\n{SECRET}"
).encode()
ANSWER = f"HTTP/1.1 200 OK\r\nSet-Cookie: a={SECRET}\r\nContent-Length: 0\r\n\r\n".encode()
ARGS = ("x", "--password", SECRET)


@pytest.fixture
def path(tmp_path):
    """A session with a secret wherever one can be."""
    writer = begin(tmp_path / "home", args=ARGS)
    writer.add_process(image(2, pid=71, parent=1, args=ARGS, cmd=" ".join(ARGS)))
    writer.end_process(ProcessEnd(2, STARTED_NS + SECOND, 1, None, False))
    writer.add_events(
        [
            opened(),
            event("http.req", at=0.1, channel=channel(0), **ASKED),
            event("http.resp", at=0.7, channel=channel(0), **ANSWERED),
            event("stderr", process=2, message=f"{SECRET}\n"),
            event("/var/log/app.log", message=f"{SECRET}\n"),
            event("proc.error", process=2, op="kill", error="EPERM"),
        ]
    )
    writer.add_payloads([piece(POST, at=0.1), piece(ANSWER, outgoing=False, at=0.7)])
    writer.finish(exit_code=1, ended_ns=STARTED_NS + SECOND)
    return writer.path


def test_a_report_has_no_secret_in_it(path):
    with open_session(path) as session:
        open_page, closed_page = (
            page(read_report(session, redact), "1.0").decode() for redact in (False, True)
        )

    assert open_page.count(SECRET) > 12
    assert '["slow"' in open_page
    assert SECRET not in closed_page
    for kept in ("POST", "Cookie", "box", "app.log", "--password"):
        assert kept in closed_page


def test_a_body_is_left_out_and_one_that_is_empty_stays_so(path):
    with open_session(path) as session:
        (exchange,) = map(redact_exchange, session.exchanges(100))

    assert exchange.request_content.body == OUT.encode()
    assert exchange.response_content.body == b""


def test_tags_of_metrics_and_processes():
    tags = {
        "args": "curl -s -u ann:hunter2 -H Cookie: id=1",
        "http_target": "/x?key=1",
        "api_token": "1",
        "stage": "test",
        "numops": 3,
    }

    assert redact_tags(tags) == {
        "args": "curl -s -u [redacted] -H Cookie: [redacted]",
        "http_target": "/x?[redacted]",
        "api_token": "[redacted]",
        "stage": "test",
        "numops": 3,
    }
    assert redact_tags({"args": ["sshpass", "-p", "x"]}) == {
        "args": ["sshpass", "-p", "[redacted]"]
    }
