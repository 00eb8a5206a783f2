from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from scopetrace.config import find
from scopetrace.config.find import find_config, why_untrusted
from scopetrace.config.load import load_config
from scopetrace.errors import ConfigError


@pytest.fixture
def places(tmp_path, monkeypatch):
    """An empty working folder, with a home and a system file of its own beside it."""
    for name in ("here", "home/.config/scopetrace", "xdg/scopetrace", "etc"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(find, "SYSTEM", tmp_path / "etc/scope.yml")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def write(path: Path, number: int = 1) -> Path:
    path.write_text(f"scopetrace:\n  snaplen: {number}\n")
    path.chmod(0o644)
    return path


def test_the_first_place_with_a_file_counts(places):
    environ = {"HOME": str(places / "home"), "XDG_CONFIG_HOME": str(places / "xdg")}
    assert find_config(None, environ).path is None

    ranks = [
        write(places / "etc/scope.yml"),
        write(places / "xdg/scopetrace/scope.yml"),
        write(places / "here/scope.yml"),
        write(places / "named.yml"),
        write(places / "user.yml"),
    ]
    assert find_config(ranks[4], {**environ, "SCOPE_CONF_PATH": str(ranks[3])}).path == ranks[4]
    assert find_config(None, {**environ, "SCOPE_CONF_PATH": str(ranks[3])}).path == ranks[3]
    assert find_config(None, environ).path == Path("scope.yml")
    ranks[2].unlink()
    assert find_config(None, environ).path == ranks[1]
    ranks[1].unlink()
    assert find_config(None, environ).path == ranks[0]


@pytest.mark.parametrize("xdg", [{}, {"XDG_CONFIG_HOME": ""}, {"XDG_CONFIG_HOME": "relative"}])
def test_without_an_absolute_xdg_folder_it_is_the_one_in_the_home(places, xdg):
    path = write(places / "home/.config/scopetrace/scope.yml")

    assert find_config(None, {"HOME": str(places / "home"), **xdg}).path == path


def test_without_a_home_there_is_no_home_to_look_in(places):
    assert find_config(None, {}).path is None


def test_an_empty_variable_names_no_file(places):
    assert find_config(None, {"SCOPE_CONF_PATH": ""}).path is None


def test_only_the_first_file_is_read(places):
    (places / "etc/scope.yml").write_text("not: valid\n")
    write(places / "here/scope.yml", 7)

    assert load_config(None, {}).scopetrace.snaplen == 7


def test_a_file_that_was_named_must_be_there(places):
    with pytest.raises(ConfigError, match=r"^none.yml: No such file or directory$"):
        find_config(Path("none.yml"), {})
    with pytest.raises(ConfigError, match=r"^SCOPE_CONF_PATH: x/y.yml: No such file or directory$"):
        find_config(None, {"SCOPE_CONF_PATH": "x/y.yml"})
    with pytest.raises(ConfigError, match=r"home: Is a directory$"):
        find_config(places / "home", {})


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_here_that_others_can_write_is_passed_over_with_a_warning(places, mode):
    write(places / "here/scope.yml", 7).chmod(mode)
    other = write(places / "etc/scope.yml", 8)

    config = load_config(None, {})

    assert config.path == other
    assert config.warnings == ("scope.yml: skipped: others can write it",)


def test_a_file_passed_over_is_told_even_if_there_is_no_other(places):
    (places / "here/scope.yml").mkdir()

    config = load_config(None, {})

    assert config.path is None
    assert config.warnings == ("scope.yml: skipped: Is a directory",)


def test_a_fifo_here_holds_nobody_up(places):
    os.mkfifo("scope.yml", 0o600)

    assert find_config(None, {}).warnings == ("scope.yml: skipped: it is no regular file",)


def test_a_fifo_that_was_named_is_read(places):
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: write(Path("pipe"), 9))
    writer.start()

    config = load_config(Path("pipe"), {})

    writer.join()
    assert config.scopetrace.snaplen == 9


@pytest.mark.parametrize(
    ("mode", "owner", "why"),
    [
        (0o100644, 1000, None),
        (0o100600, 0, None),
        (0o100644, 1001, "it belongs to another user"),
        (0o100664, 1000, "others can write it"),
        (0o100602, 0, "others can write it"),
        (0o040755, 1000, "it is no regular file"),
        (0o010600, 1000, "it is no regular file"),
    ],
)
def test_a_file_here_counts_only_if_nobody_else_wrote_it(mode, owner, why):
    status = os.stat_result((mode, 1, 1, 1, owner, 1000, 0, 0, 0, 0))

    assert why_untrusted(status, 1000) == why


def test_a_link_of_ours_to_a_file_of_ours_counts(places):
    write(places / "mine.yml", 5)
    Path("scope.yml").symlink_to(places / "mine.yml")

    assert load_config(None, {}).scopetrace.snaplen == 5


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: \xff\n", "f.yml:2: no UTF-8 text"),
        (b"#" * (1 << 20) + b"\n", "f.yml: longer than 1048576 bytes"),
        ("a: 1".encode("utf-16"), "f.yml:1: no UTF-8 text"),
    ],
)
def test_what_is_no_text_of_reasonable_length_is_refused(places, data, message):
    Path("f.yml").write_bytes(data)

    with pytest.raises(ConfigError) as raised:
        load_config(Path("f.yml"), {})

    assert str(raised.value) == message


def test_a_byte_order_mark_is_no_part_of_the_text(places):
    Path("f.yml").write_bytes(b"\xef\xbb\xbfscopetrace:\n  snaplen: 3\n")

    assert load_config(Path("f.yml"), {}).scopetrace.snaplen == 3
