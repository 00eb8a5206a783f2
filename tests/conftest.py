"""What all tests share: where they happen, who runs the programs, and how tracees are compiled."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("support")
from support import leftovers  # noqa: E402
from support.harness import PATIENCE, Compile, Stage  # noqa: E402
from support.interpreter import SHARED, python  # noqa: E402
from support.thorough import THOROUGH  # noqa: E402
from support.users import as_whom, users  # noqa: E402

settings.register_profile("thorough", deadline=None)
settings.register_profile("usual", deadline=None, max_examples=40)
settings.register_profile("quick", deadline=None, max_examples=10)  # --hypothesis-profile=quick
settings.load_profile("thorough" if THOROUGH else "usual")

pytest_plugins = ["pytester", "support.fixtures"]

HELLO = b"#include <stdio.h>\nint main(void) { return 0; }\n"
WATCHED = pytest.StashKey[subprocess.Popen[bytes]]()
"""The process that ends what this run leaves behind; those of xdist have none of their own."""
TRACEES = Path(__file__).parent / "tracees"


def pytest_configure(config: pytest.Config) -> None:
    """Prepare what all tests of this run share, whichever of its processes they run in.

    Others may read what is made here, whatever the umask is. Programs do not ignore what we
    ignore, as under nohup or behind a shell's &: execve(2) leaves an ignored signal ignored, but
    not one with a handler, even if it does nothing.
    """
    os.umask(0o022)
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="scopetrace-tests-")
        Path(os.environ[SHARED]).chmod(0o755)
        config.stash[WATCHED] = leftovers.watch(SHARED, os.environ[SHARED])
    os.environ["PYTHONSAFEPATH"] = "1"  # a child takes the package that is installed, as we do
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what the processes of this run shared, and end what they have left."""
    if WATCHED in config.stash:
        del os.environ[SHARED]
        config.stash[WATCHED].communicate()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI everything is installed: a test that cannot run there is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """A test ends its threads: one that goes on takes time and memory from all tests after it."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
        assert not thread.is_alive(), f"{thread} is still there"


def in_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have local time be that of a zone (tzset(3)) for one test."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is UTC."""
    yield from in_zone("UTC", monkeypatch)


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is one or two hours ahead of UTC."""
    yield from in_zone("CET-1CEST,M3.5.0,M10.5.0/3", monkeypatch)


@pytest.fixture(scope="session")
def commons() -> Iterator[Path]:
    """A folder that every user may read, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(dir=os.environ[SHARED]))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def needs() -> Callable[[str], str]:
    """Return the path of a program; skip the test by its name if it is missing."""

    def find(program: str) -> str:
        path = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if path is None:
            pytest.skip(f"{program} is not installed")
        return path

    return find


@cache
def compiler_complaint(compile: tuple[str, ...]) -> bytes:
    """Return what a compiler says of a program that any should compile; empty: it does."""
    hello = Path(os.environ[SHARED]) / f"hello-{os.getpid()}"
    command = [*compile, "-o", hello, "-xc", "-"]
    done = subprocess.run(command, input=HELLO, capture_output=True, check=False)
    return done.stderr if done.returncode else b""


@pytest.fixture(scope="session")
def compile_tracee(needs: Callable[[str], str]) -> Compile:
    """Compile tests/tracees/NAME.c, once for each compiler and flags, for all worker processes."""
    folder = Path(os.environ[SHARED]) / "tracees"
    folder.mkdir(exist_ok=True)

    def build(name: str, *flags: str, compiler: str = "gcc") -> Path:
        target = folder / "-".join([name, compiler, *(flag.strip("-") for flag in flags)])
        if not target.exists():
            compile = (needs(compiler), "-std=gnu11", "-O1", "-pthread", *flags)
            if complaint := compiler_complaint(compile):
                pytest.skip(f"{compiler} {' '.join(flags)} is not installed: {complaint!r}")
            half = target.with_name(f"{target.name}.{os.getpid()}")
            subprocess.run([*compile, "-o", half, TRACEES / f"{name}.c"], check=True)
            half.rename(target)
        return target

    return build


@pytest.fixture(params=users(), ids=as_whom)
def stage(request: pytest.FixtureRequest, commons: Path) -> Iterator[Stage]:
    """Where one test records programs, once for each kind of user, unless it needs `one_user`."""
    uid: int | None = request.param
    python()  # skips where there is none for this user
    folder = Path(tempfile.mkdtemp(dir=commons))
    folder.chmod(0o755)
    stage = Stage(folder, uid)
    stage.prepare()
    stage.new_home()
    yield stage
    shutil.rmtree(folder, ignore_errors=True)  # a recorder may be closing its file
