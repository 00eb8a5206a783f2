"""Connections that begin with something else: real clients, servers and proxies, each recorded."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.harness import Recording, Stage
from support.net_events import notices
from support.net_peers import (
    HOST,
    certificate,
    free_port,
    is_listening,
    peer,
    record,
    record_server,
    serve,
    web_server,
)
from support.nginx import Nginx
from support.postgres import is_ready, new_database, psql, server_command, without_privileges
from support.users import one_user

pytestmark = one_user("what is said on a connection does not depend on rights")

Needs = Callable[[str], str]


def closed(recording: Recording, **where: Any) -> list[dict[str, Any]]:
    """Return the data of the net.close of flows over TCP."""
    return [
        event.data
        for event in recording.of("net.close")
        if event.data["net_transport"] == "IP.TCP"
        and all(event.data.get(name) == value for name, value in where.items())
    ]


def spoken(recording: Recording) -> list[tuple[str, str | None]]:
    """Return what is spoken, with the server's name."""
    return [
        (event.data["protocol"], event.data.get("tls_server_name"))
        for event in recording.of("net.app")
    ]


def answered(recording: Recording) -> list[tuple[str | None, int]]:
    """Return the target and the status of each response."""
    return [
        (event.data.get("http_target"), event.data["http_status_code"])
        for event in recording.of("http.resp")
    ]


SOCKS = {
    "--socks4": HOST,
    "--socks4a": "localhost",
    "--socks5": HOST,
    "--socks5-hostname": "localhost",
}


@pytest.mark.parametrize("way", [*SOCKS, "--socks5 me:secret@", "--proxytunnel --proxy"])
def test_a_client_behind_a_proxy(stage: Stage, needs: Needs, way: str) -> None:
    *options, last = way.split()
    user = last if last.endswith("@") else ""
    options = [*options, last] if not user else options
    host = SOCKS.get(options[-1], HOST)
    port = free_port()
    with (
        web_server(stage.folder) as web,
        serve(peer("proxy.py", port), lambda: is_listening(port)),
    ):
        command = [
            needs("curl"),
            "-q",
            "-sS",
            *options,
            f"{user}{HOST}:{port}",
            f"http://{host}:{web.port}/size/7",
        ]
        stage.prepare()
        recording = record(stage, command)

    assert recording.ending.status == 0, recording.ending
    protocol = "HTTP" if "--proxy" in options else "SOCKS"
    assert spoken(recording) == [(protocol, None), ("HTTP", None)]
    assert answered(recording)[-1] == ("/size/7", 200)
    (flow,) = closed(recording, net_peer_port=port)
    assert flow["net_protocol"] == f"{protocol},HTTP"
    assert (flow["net_target_host"], flow["net_target_port"]) == (host, web.port)
    assert notices(recording) == []


@pytest.mark.parametrize("way", ["--socks5-hostname", "--proxy"])
def test_a_proxy(stage: Stage, needs: Needs, way: str) -> None:
    files = certificate(stage.folder, needs("openssl"))
    port, secret = free_port(), free_port()

    def clients() -> None:
        url = f"https://localhost:{secret}/secret"
        command = [needs("curl"), "-q", "-sS", "-k", way, f"{HOST}:{port}", url]
        done = subprocess.run(command, check=True, capture_output=True, timeout=30)
        assert done.stdout == b"secret"

    stage.prepare()
    with serve(peer("tls_server.py", secret, *files), lambda: is_listening(secret)):
        served = record_server(stage, peer("proxy.py", port), lambda: is_listening(port), clients)

    recording = served.recording
    protocol = "HTTP" if way == "--proxy" else "SOCKS"
    assert sorted(spoken(recording)) == sorted(
        [(protocol, None), ("TLS", "localhost"), ("TLS", "localhost")]
    )
    (front,) = closed(recording, net_host_port=port)
    (back,) = closed(recording, net_peer_port=secret)
    assert front["net_protocol"] == f"{protocol},TLS"
    assert (front["net_target_host"], front["net_target_port"]) == ("localhost", secret)
    assert back["net_protocol"] == "TLS"
    assert notices(recording) == []


def test_a_client_that_says_for_whom_it_speaks(stage: Stage, needs: Needs) -> None:
    nginx = Nginx(stage, needs("nginx"), "proxy_protocol")
    with serve(nginx.argv, lambda: is_listening(nginx.port)):
        url = f"http://{HOST}:{nginx.port}/small"
        recording = record(stage, [needs("curl"), "-q", "-sS", "--haproxy-protocol", url])

    assert len(recording.ending.stdout) == 512
    (flow,) = closed(recording, net_peer_port=nginx.port)
    assert flow["net_protocol"] == "PROXY,HTTP"
    assert (flow["net_client_ip"], flow["net_client_port"]) == (HOST, flow["net_host_port"])
    assert (flow["net_target_host"], flow["net_target_port"]) == (HOST, nginx.port)
    assert answered(recording) == [("/small", 200)]


def test_a_server_behind_a_proxy(stage: Stage, needs: Needs) -> None:
    stage.prepare()
    nginx, port = Nginx(stage, needs("nginx"), "proxy_protocol"), free_port()

    def clients() -> Any:
        url = f"http://{HOST}:{nginx.port}/small"
        command = [needs("curl"), "-q", "-sS", "--socks5", f"{HOST}:{port}", "-w", "%{local_port}"]
        with serve(peer("proxy.py", port, "header"), lambda: is_listening(port)):
            done = subprocess.run(
                [*command, url, "-o", "/dev/null"], check=True, capture_output=True, timeout=30
            )
        return int(done.stdout)

    served = nginx.serve(clients)

    (flow,) = closed(served.recording, net_host_port=nginx.port)
    assert flow["net_protocol"] == "PROXY,HTTP"
    assert (flow["net_client_ip"], flow["net_client_port"]) == (HOST, served.clients)
    assert (flow["net_target_host"], flow["net_target_port"]) == (HOST, port)
    assert flow["net_peer_port"] != served.clients
    (request,) = served.recording.of("http.req")
    assert request.data["net_client_port"] == served.clients


def test_a_client_of_tls_at_a_server_of_http(stage: Stage, needs: Needs) -> None:
    """What the server says is known from the server: the client reads five bytes of it."""
    stage.prepare()
    nginx = Nginx(stage, needs("nginx"))

    def clients() -> None:
        url = f"https://localhost:{nginx.port}/"
        command = [needs("curl"), "-q", "-sS", "-4", "-k", url]
        assert subprocess.run(command, check=False, capture_output=True, timeout=30).returncode

    recording = nginx.serve(clients).recording

    assert spoken(recording) == [("TLS", "localhost"), ("HTTP", None)]
    assert answered(recording) == [(None, 400)]
    (flow,) = closed(recording, net_host_port=nginx.port)
    assert flow["net_protocol"] == "TLS,HTTP"
    assert notices(recording) == []


PROTOCOLS = {
    "smtp": "SMTP",
    "lmtp": "SMTP",
    "imap": "IMAP",
    "pop3": "POP3",
    "ftp": "FTP",
    "xmpp": "XMPP",
    "ldap": "LDAP",
    "postgres": "PostgreSQL",
    "mysql": "MySQL",
    "sieve": "Sieve",
}


def begin_tls(openssl: str, protocol: str, port: int) -> list[str]:
    return [
        openssl,
        "s_client",
        "-quiet",
        *f"-starttls {protocol} -servername scope.test".split(),
        "-connect",
        f"{HOST}:{port}",
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_client_that_begins_tls(stage: Stage, needs: Needs, protocol: str) -> None:
    files, port = certificate(stage.folder, needs("openssl")), free_port()
    with serve(peer("starttls_server.py", protocol, port, *files), lambda: is_listening(port)):
        stage.prepare()
        recording = record(stage, begin_tls(needs("openssl"), protocol, port))

    assert recording.ending.stdout == b"secret\n"
    assert spoken(recording) == [(PROTOCOLS[protocol], None), ("TLS", "scope.test")]
    (flow,) = closed(recording, net_peer_port=port)
    assert flow["net_protocol"] == f"{PROTOCOLS[protocol]},TLS"


def test_a_server_where_tls_is_begun(stage: Stage, needs: Needs) -> None:
    files, port = certificate(stage.folder, needs("openssl")), free_port()

    def clients() -> None:
        command = begin_tls(needs("openssl"), "imap", port)
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "timeout": 30}
        done = subprocess.run(command, check=False, capture_output=True, **options)
        assert done.stdout == b"secret\n"

    stage.prepare()
    served = record_server(
        stage, peer("starttls_server.py", "imap", port, *files), lambda: is_listening(port), clients
    )

    assert spoken(served.recording) == [("IMAP", None), ("TLS", "scope.test")]
    (flow,) = closed(served.recording, net_host_port=port)
    assert flow["net_protocol"] == "IMAP,TLS"


def test_a_database_and_its_client(
    stage: Stage, needs: Needs, programs: Path, template: Path
) -> None:
    files, port = certificate(stage.folder, needs("openssl")), free_port()
    data = new_database(stage, template)
    subprocess.run(without_privileges(["cp", *files, data]), check=True)
    (data / files[1].name).chmod(0o600)
    command = [
        *server_command(programs, data, port),
        *["-c", "ssl=on"],
        *f"-c ssl_cert_file={files[0].name}".split(),
        *f"-c ssl_key_file={files[1].name}".split(),
    ]
    log = stage.folder / "postgres.log"
    with serve(without_privileges(command), lambda: is_ready(data), cwd="/", log=log):
        client = psql(needs("psql"), port)
        client[client.index(HOST)] = "localhost"
        environ = {"PGHOSTADDR": HOST, "PGSSLMODE": "require"}
        stage.prepare()
        stage.environ.update(environ)
        recording = record(stage, [*client, "-c", "select 1 + 1"])

    assert recording.ending.stdout.splitlines()[1:2] == [b"2"], recording.ending
    assert spoken(recording) == [("PostgreSQL", None), ("TLS", "localhost")]
    (flow,) = closed(recording, net_peer_port=port)
    assert flow["net_protocol"] == "PostgreSQL,TLS"
