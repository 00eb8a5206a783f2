from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scopetrace.errors import CommandNotExecutable, CommandNotFound
from scopetrace.recorder.command import find_command, original_environment


def test_a_command_is_found_where_a_shell_finds_it(tmp_path):
    for folder, mode in (("first", 0o644), ("second", 0o755), ("third", 0o755)):
        (tmp_path / folder / "tool").parent.mkdir()
        (tmp_path / folder / "tool").write_text("")
        (tmp_path / folder / "tool").chmod(mode)
    folders = [str(tmp_path / name) for name in ("missing", "first", "second", "third")]

    found = find_command("tool", [b"PATH=" + os.fsencode(":".join(folders))])

    assert found == os.fsencode(tmp_path / "second/tool")


def test_an_empty_part_of_the_path_is_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "tool").write_text("")
    (tmp_path / "tool").chmod(0o755)
    monkeypatch.chdir(tmp_path)

    assert find_command("tool", [b"PATH=:/nowhere"]) == b"./tool"


def test_without_a_path_the_usual_folders_are_searched():
    assert find_command("sh", []) in (b"/bin/sh", b"/usr/bin/sh")


@pytest.mark.parametrize(
    ("name", "error", "sentence"),
    [
        ("none-of-that-name", CommandNotFound, "none-of-that-name: command not found"),
        ("./none", CommandNotFound, "./none: No such file or directory"),
        ("./plain/none", CommandNotFound, "./plain/none: Not a directory"),
        ("./plain", CommandNotExecutable, "./plain: Permission denied"),
        ("plain", CommandNotExecutable, "plain: Permission denied"),
        ("./folder", CommandNotExecutable, "./folder: Is a directory"),
        ("folder", CommandNotFound, "folder: command not found"),
    ],
)
def test_what_cannot_be_run_is_told_apart(name, error, sentence, tmp_path, monkeypatch):
    (tmp_path / "plain").write_text("")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)

    with pytest.raises(error) as caught:
        find_command(name, [b"PATH=" + os.fsencode(tmp_path)])

    assert str(caught.value) == sentence


def test_the_environment_is_the_one_that_was_handed_over():
    """In the C locale the interpreter sets LC_CTYPE for itself (PEP 538)."""
    script = (
        "import os; from scopetrace.recorder.command import original_environment;"
        "print(b'LC_CTYPE' in os.environb, original_environment())"
    )
    handed = {"LC_ALL": "", "PYTHONPATH": os.pathsep.join(sys.path), "ODD": "a=b\nc"}

    reported = subprocess.run(
        [sys.executable, "-P", "-c", script], env=handed, capture_output=True, check=True, text=True
    ).stdout

    assert reported == f"True {[os.fsencode(f'{k}={v}') for k, v in handed.items()]}\n"
    assert original_environment()
