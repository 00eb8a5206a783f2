"""What real programs did, in files for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.harness import Recording, Stage, scopetrace_command
from support.net_peers import HOST, compare, web_server

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
