"""What real programs did, in files for other programs."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.harness import PATIENCE, Recording, Stage, scopetrace_command
from support.net_peers import HOST, compare, files_in_http2, record_server, web_server
from support.nginx import Nginx

pytestmark = pytest.mark.parametrize("stage", [None], indirect=True, ids=["as-we-are"])
"""What is read of sessions does not depend on the user; recording by each is tested elsewhere."""

Needs = Callable[[str], str]


def exported(stage: Stage, option: str, place: Path) -> Any:
    """Export the last session of the stage; return the JSON of the file, if it is one."""
    ending = stage.run(scopetrace_command("export", option, str(place)))
    assert (ending.status, ending.stderr) == (0, b"")
    return json.loads(place.read_bytes()) if place.is_file() else None


def fetch(stage: Stage, curl: str, *arguments: str, payloads: bool) -> Recording:
    recording = compare(stage, [curl, "-q", "-sS", *arguments], payloads=payloads)
    assert recording.ending.status == 0, recording.ending
    return recording


def test_an_archive_of_curl_has_what_the_server_said(stage: Stage, needs: Needs) -> None:
    with web_server(stage.folder) as server:
        url = f"http://{HOST}:{server.port}"
        fetch(
            stage,
            needs("curl"),
            *f"-H X-Mine:yes -b k=v {url}/chunks/2500?a=b&a=".split(),
            *f"--next -sS -I -o head {url}/bytes/9 --next -sS -d x=1 {url}/form".split(),
            *f"--next -sS {url}/status/404".split(),
            payloads=True,
        )
    entries = exported(stage, "--har", stage.work / "web.har")["log"]["entries"]

    asked = [(one["request"]["method"], one["request"]["url"]) for one in entries]
    assert asked == [
        ("GET", f"{url}/chunks/2500?a=b&a="),
        ("HEAD", f"{url}/bytes/9"),
        ("POST", f"{url}/form"),
        ("GET", f"{url}/status/404"),
    ]
    first, head, form, last = entries
    headers = {pair["name"]: pair["value"] for pair in first["request"]["headers"]}
    assert (headers["X-Mine"], headers["Cookie"]) == ("yes", "k=v")
    assert first["request"]["cookies"] == [{"name": "k", "value": "v"}]
    assert [pair["value"] for pair in first["request"]["queryString"]] == ["b", ""]
    assert first["response"]["content"]["size"] == 2500
    assert len(first["response"]["content"]["text"]) == 2500
    assert "text" not in head["response"]["content"]
    assert form["request"]["postData"]["text"] == "x=1"
    assert last["response"]["status"] == 404
    assert {one["_side"] for one in entries} == {"client"}


def test_an_archive_without_payload_has_what_the_events_say(stage: Stage, needs: Needs) -> None:
    with web_server(stage.folder) as server:
        url = f"http://{HOST}:{server.port}/bytes/9"
        fetch(stage, needs("curl"), url, payloads=False)
    (one,) = exported(stage, "--har", stage.work / "web.har")["log"]["entries"]

    assert (one["request"]["url"], one["response"]["status"]) == (url, 200)
    assert one["response"]["content"] == {"size": 9, "mimeType": ""}


def test_an_archive_of_nginx_agrees_with_its_log(stage: Stage, needs: Needs) -> None:
    nginx = Nginx(stage, needs("nginx"))
    url = f"http://{HOST}:{nginx.port}"
    asked = f"{url}/small?a=b {url}/absent {url}/large --next -A tester -I {url}/index.html"

    def clients() -> None:
        command = [needs("curl"), "-q", "-sS", "-A", "tester", *asked.split()]
        subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)

    nginx.serve(clients, partial(record_server, payloads=True))
    entries = exported(stage, "--har", stage.work / "web.har")["log"]["entries"]

    assert [
        (one["request"]["method"], one["request"]["url"], one["response"]["status"])
        for one in entries
    ] == [(line.method, f"{url}{line.target}", line.status) for line in nginx.log()]
    assert {one["_side"] for one in entries} == {"server"}
    assert {one["_proc"] for one in entries} == {"nginx"}
    for one in entries:
        headers = {pair["name"]: pair["value"] for pair in one["response"]["headers"]}
        assert headers["Server"].startswith("nginx/")
        assert {"name": "User-Agent", "value": "tester"} in one["request"]["headers"]
    absent = entries[1]["response"]["content"]
    assert "404 Not Found" in absent["text"]


def test_an_archive_of_http2_has_all_header_fields_and_bodies(stage: Stage, needs: Needs) -> None:
    with files_in_http2(stage, needs("nghttpd")) as port:
        urls = [f"http://{HOST}:{port}/{size}" for size in (5000, 1)]
        command = [needs("nghttp"), "-n", "-H", "x-mine: yes", *urls]
        compare(stage, command, payloads=True, same=len)
    entries = exported(stage, "--har", stage.work / "web.har")["log"]["entries"]

    assert sorted(one["request"]["url"] for one in entries) == sorted(urls)
    for one in entries:
        assert one["request"]["httpVersion"] == one["response"]["httpVersion"] == "HTTP/2.0"
        assert {"name": "x-mine", "value": "yes"} in one["request"]["headers"]
        assert {"name": ":status", "value": "200"} in one["response"]["headers"]
        size = int(one["request"]["url"].rpartition("/")[2])
        assert one["response"]["content"]["text"] == "2" * size


def test_a_trace_of_make_has_its_recipes_one_after_the_other(stage: Stage) -> None:
    stage.new_home()
    (stage.work / "Makefile").write_text("all: a b\na b:\n\t@sleep 0.05\n\t@echo $@ > $@\n")
    assert stage.run(scopetrace_command("run", "make")).status == 0
    objects = exported(stage, "--perfetto", stage.work / "trace.json")["traceEvents"]

    sleeps = [
        (one["ts"], one["ts"] + one["dur"])
        for one in objects
        if one["ph"] == "X" and (one["name"], one["cat"]) == ("sleep", "process")
    ]
    assert len(sleeps) == 2
    assert sleeps[0][1] <= sleeps[1][0]
    make = next(one for one in objects if one["ph"] == "X" and one["name"] == "make")
    assert make["ts"] <= sleeps[0][0]
    assert make["ts"] + make["dur"] >= sleeps[1][1]
    assert {f"{stage.work}/a", f"{stage.work}/b"} <= {one["name"] for one in objects}


def test_a_trace_of_a_shell_has_its_processes_and_files(stage: Stage) -> None:
    stage.new_home()
    script = "echo hello > out; cat out; exec sleep 0.1"
    assert stage.run(scopetrace_command("run", "sh", "-c", script)).status == 0
    objects = exported(stage, "--perfetto", stage.work / "trace.json")["traceEvents"]

    ran = [one for one in objects if one["ph"] == "X" and one["cat"] == "process"]
    assert [one["name"] for one in ran] == ["sh", "sleep", "sh", "cat"]
    sh, sleep, _, cat = ran
    assert sh["pid"] == sleep["pid"] != cat["pid"]
    assert abs(sh["ts"] + sh["dur"] - sleep["ts"]) < 1
    assert sleep["dur"] > 100_000
    files = [one for one in objects if one["ph"] == "X" and one["name"] == f"{stage.work}/out"]
    assert [one["pid"] for one in files] == [sh["pid"], cat["pid"]]
    assert [one["args"]["file_read_bytes"] for one in files] == [0, 6]
    (said,) = [one for one in objects if one["ph"] == "i" and one["cat"] == "console"]
    assert (said["name"], said["pid"]) == ("stdout hello", cat["pid"])


def test_csv_files_have_every_event(stage: Stage) -> None:
    stage.new_home()
    assert stage.run(scopetrace_command("run", "sh", "-c", "echo a; cat /none")).status == 1
    exported(stage, "--csv", stage.work / "tables")
    ending = stage.run(scopetrace_command("events", "-a", "-j"))
    recorded = sorted(json.loads(line)["id"] for line in ending.stdout.splitlines())

    rows: list[dict[str, str]] = []
    for path in (stage.work / "tables").iterdir():
        if path.name not in ("processes.csv", "metrics.csv"):
            with path.open(newline="") as file:
                rows += csv.DictReader(file)
    assert sorted(int(row["id"]) for row in rows) == recorded
    assert "/none" in [row["file"] for row in rows if row.get("error") == "ENOENT"]
