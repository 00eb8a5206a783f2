from __future__ import annotations

from pathlib import Path

import pytest

from scopetrace.config.load import load_config
from scopetrace.errors import ConfigError
from scopetrace.forward.check import resolve_destinations


def config(text, tmp_path, **environ):
    path = tmp_path / "scope.yml"
    path.write_text(text)
    return load_config(path, environ)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_destinations_nothing_changes(tmp_path):
    stock = config("", tmp_path)

    assert resolve_destinations(stock) == stock


def test_paths_hold_wherever_one_stands(tmp_path):
    found = resolve_destinations(
        config("", tmp_path, SCOPE_EVENT_DEST="events", SCOPE_METRIC_DEST="unix://a/socket")
    )

    assert found.event.transport.path == f"{tmp_path}/events"
    assert found.metric.transport.path == f"{tmp_path}/a/socket"
    assert not (tmp_path / "events").exists()


def test_an_abstract_name_is_no_path(tmp_path):
    found = resolve_destinations(config("", tmp_path, SCOPE_METRIC_DEST="unix://@name"))

    assert found.metric.transport.path == "@name"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("folder", "it is a folder"),
        ("nowhere/x", "there is no folder {here}/nowhere"),
        ("file/x", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path, path, why):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError) as caught:
        resolve_destinations(config("", tmp_path, SCOPE_METRIC_DEST=path))

    assert str(caught.value) == f"metric.transport: {tmp_path}/{path}: {why.format(here=tmp_path)}"


TLS = "event: {transport: {type: tls, host: h, port: 1, tls: {cacertpath: ca.pem}}}"


def test_certificates_that_are_none_are_one_sentence(tmp_path):
    with pytest.raises(ConfigError) as caught:
        resolve_destinations(config(TLS, tmp_path))
    assert str(caught.value) == (
        f"event.transport.tls.cacertpath: {tmp_path}/ca.pem: No such file or directory"
    )

    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(ConfigError, match=r"ca\.pem: it holds no certificates$"):
        resolve_destinations(config(TLS, tmp_path))


def test_certificates_are_found_wherever_one_stands(tmp_path, authority):
    (tmp_path / "ca.pem").write_bytes(Path(authority.certificate).read_bytes())

    found = resolve_destinations(config(TLS, tmp_path))

    assert found.event.transport.tls.cacertpath == f"{tmp_path}/ca.pem"


def test_a_folder_that_is_gone_is_one_sentence(tmp_path, monkeypatch):
    wanted = config("", tmp_path, SCOPE_EVENT_DEST="events")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(ConfigError, match=r"^event\.transport: events: the current folder is gone"):
        resolve_destinations(wanted)
