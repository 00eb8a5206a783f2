from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.destination import format_destination, parse_destination
from scopetrace.config.find import Found
from scopetrace.config.load import build_config
from scopetrace.errors import ConfigError


def transport(environ=None, **keys):
    text = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    said = f"event:\n  transport:\n{text}" if keys else ""
    return build_config(Found(Path("f.yml"), said), environ or {}).event.transport


@pytest.mark.parametrize(
    ("text", "kind", "host", "port", "path"),
    [
        ("tcp://collector:9109", "tcp", "collector", "9109", ""),
        ("udp://127.0.0.1:8125", "udp", "127.0.0.1", "8125", ""),
        ("tls://collector.example:10090", "tls", "collector.example", "10090", ""),
        ("tcp://[::1]:9109", "tcp", "::1", "9109", ""),
        ("collector:10090", "tls", "collector", "10090", ""),
        ("[::1]:10090", "tls", "::1", "10090", ""),
        ("unix:///run/a.sock", "unix", "", "0", "/run/a.sock"),
        ("unix://@name", "unix", "", "0", "@name"),
        ("file:///var/a:b", "file", "", "0", "/var/a:b"),
        ("events", "file", "", "0", "events"),
        ("./a:1", "file", "", "0", "./a:1"),
        ("", "none", "", "0", ""),
    ],
)
def test_one_word_says_all(text, kind, host, port, path):
    assert parse_destination(text) == {"type": kind, "host": host, "port": port, "path": path}

    found = transport({"SCOPE_EVENT_DEST": text})
    assert (found.type, found.host, str(found.port), found.path) == (kind, host, port, path)
    assert transport({"SCOPE_EVENT_DEST": format_destination(found)}) == found


@pytest.mark.parametrize(
    "text",
    [
        "tcp://collector", "tcp://:1", "tcp://a:0", "tcp://a:65536", "tcp://a:1/x", "tcp://::1:9",
        "http://a:1", "file://", "unix://", "a:b", "a:1:2", "://a", "udp://a b:1", "tcp://u@a:1",
    ],
)  # fmt: skip
def test_what_is_no_destination_is_one_sentence(text):
    with pytest.raises(ConfigError) as caught:
        transport({"SCOPE_METRIC_DEST": text})

    assert str(caught.value) == (
        f"SCOPE_METRIC_DEST: '{text}' is not a destination such as tcp://host:9109, udp://host:8125,"
        " tls://host:10090, unix:///path or file:///path"
    )


def test_a_word_for_a_path_that_cannot_be_is_one_sentence():
    with pytest.raises(ConfigError) as caught:
        transport({"SCOPE_EVENT_DEST": "stdout"})

    assert str(caught.value) == (
        "SCOPE_EVENT_DEST: stdout: it is the output of the program; for a file of that name write"
        " ./stdout"
    )


def test_nothing_is_sent_to_cribl():
    with pytest.raises(ConfigError, match="SCOPE_EVENT_DEST: edge: scopetrace sends nothing to"):
        transport({"SCOPE_EVENT_DEST": "edge"})


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"type": "tcp", "host": "h"},
            "f.yml:3: event.transport.type: tcp needs a host and a port",
        ),
        ({"type": "udp", "port": 1}, "f.yml:3: event.transport.type: udp needs a host and a port"),
        ({"type": "unix"}, "f.yml:3: event.transport.type: unix needs a path"),
        ({"type": "file"}, "f.yml:3: event.transport.type: file needs a path"),
        ({"port": 65536}, "f.yml:3: event.transport.port: expected a whole number from 0 to 65535"),
        (
            {"type": "tcp", "port": 1, "host": "'h 1'"},
            "f.yml:5: event.transport.host: expected a name or an address",
        ),
        (
            {"type": "file", "path": '"\\0"'},
            "f.yml:4: event.transport.path: a path cannot contain a null",
        ),
        (
            {"type": "unix", "path": "/" + "x" * 107},
            "f.yml:4: event.transport.path: the path of a unix socket has 107 bytes at most",
        ),
        ({"type": "file", "path": "stdout"}, "f.yml:4: event.transport.path: it is the output of"),
        (
            {"type": "file", "path": "/dev/stderr"},
            "f.yml:4: event.transport.path: it is the output of",
        ),
    ],
)
def test_a_transport_that_lacks_something_is_one_sentence(keys, sentence):
    with pytest.raises(ConfigError) as caught:
        transport(**keys)

    assert str(caught.value).startswith(sentence)


def test_tcp_is_encrypted_if_tls_is_enabled_and_tls_is_anyhow():
    on = {"SCOPE_EVENT_TLS_ENABLE": "true"}

    assert not transport({"SCOPE_EVENT_DEST": "tcp://h:1"}).encrypted
    assert transport({**on, "SCOPE_EVENT_DEST": "tcp://h:1"}).encrypted
    assert transport({"SCOPE_EVENT_DEST": "tls://h:1"}).encrypted
    assert format_destination(transport({**on, "SCOPE_EVENT_DEST": "tcp://h:1"})) == "tls://h:1"


def test_a_destination_replaces_the_one_of_the_file():
    found = transport({"SCOPE_EVENT_DEST": "udp://h:1"}, type="file", path="/x")

    assert (found.type, found.path) == ("udp", "")
