"""The manual pages: installed with the package, whole, and read by man(1)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scopetrace.cli.commands import COMMANDS, cli

ROOT = Path(__file__).parent.parent
INSTALLED = Path(sys.prefix) / "share/man/man1"
PAGES = ["scopetrace.1", *(f"scopetrace-{name}.1" for name in COMMANDS)]
REQUESTS = {"TH", "nh", "ad", "SH", "PP", "TP", "B", "nf", "fi", "RS", "RE"}
"""Of man(7) and groff(7), all that the pages use."""
ESCAPES = re.compile(r"\\(?:[-e&]|f[BR]|\((?:aq|ga))")
OPTION = re.compile(r"--[a-z][a-z-]+")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_installed_and_well_formed(name: str) -> None:
    lines = (INSTALLED / name).read_text(encoding="utf-8").splitlines()

    for line in lines:
        if line.startswith((".", "'")):
            assert line[1:].split()[0] in REQUESTS, line
        assert "\\" not in ESCAPES.sub("", line), line
    assert [line for line in lines if line.startswith(".SH")][:4] == [
        ".SH NAME",
        ".SH SYNOPSIS",
        ".SH DESCRIPTION",
        ".SH OPTIONS",
    ]
    assert sum(line == ".nf" for line in lines) == sum(line == ".fi" for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_has_every_option_of_its_command(name: str) -> None:
    command = cli.get_command(cli.make_context("scopetrace", ["version"]), name)
    assert command is not None
    text = (INSTALLED / f"scopetrace-{name}.1").read_text(encoding="utf-8").replace("\\-", "-")

    options = {text for param in command.params for text in param.opts if text.startswith("--")}
    assert options | {"--help"} <= set(OPTION.findall(text))


ALONE = """
import sys

class Refusal:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BUILT_WITHOUT or name == "scopetrace._engine":
            raise ImportError(f"{name} is not there when the package is built")

sys.meta_path.insert(0, Refusal())
sys.path.insert(0, ROOT)
from docs.man_pages import pages
print(*pages())
"""


def test_the_pages_need_no_package_but_click() -> None:
    """Setuptools has those of `build-system.requires` alone when it makes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {re.match(r"[\w-]+", text)[0] for text in project["project"]["dependencies"]}
    modules = needed - {"click"} | {"yaml", "ptrace"}
    script = ALONE.replace("BUILT_WITHOUT", repr(modules)).replace("ROOT", repr(str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout.split() == PAGES


def test_man_shows_a_page_without_a_warning() -> None:
    page = INSTALLED / "scopetrace-run.1"
    man = shutil.which("man")
    if man is None or shutil.which("groff") is None:
        assert page.read_text().startswith('.TH "SCOPETRACE\\-RUN" 1 ""')
        return
    done = subprocess.run(
        [man, "--warnings", "-l", str(page)],
        env={"MANWIDTH": "80", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"},
        capture_output=True,
        text=True,
        check=True,
    )
    shown = re.sub(".\b", "", done.stdout)

    assert done.stderr == ""
    assert "NAME\n       scopetrace-run - run a program and record what it does\n" in shown
    assert "\n           scopetrace run python3 log.py " in shown
    assert "\n       -u, --userconfig FILE\n" in shown
