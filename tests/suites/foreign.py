"""The suites: which units each has, and where their source must stand.

What has to be fetched stands in FOLDER/NAME (`README.md` says how). A suite yields no unit for what
is not installed; then the run fails.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from suites import verdicts
from suites.unit import Unit

Suite = Callable[[Path], Iterator[Unit]]

SELECTED = Path(__file__).with_name("selected.txt")

PERL_FOLDERS = ("op", "io")
PERL_LIBRARIES = (
    "/usr/share/perl/5.36",
    "/usr/lib/x86_64-linux-gnu/perl-base",
    "/usr/lib/x86_64-linux-gnu/perl/5.36",
)
SILENT = "-J-Djava.util.logging.config.file=/dev/null"
"""An option of jshell: it prints no lines with times about a home that it cannot write to."""
FLAGS = re.compile(r"^// Flags: (.*)$", re.M)


def selected(suite: str) -> Iterator[str]:
    """Yield what selected.txt names of a suite."""
    for line in SELECTED.read_text().splitlines():
        name, _, units = line.partition(":")
        if name == suite:
            yield from units.split()


def busybox(folder: Path) -> Iterator[Unit]:
    """Yield the tests of each applet, for the busybox that is installed."""
    source, program = folder / "busybox", shutil.which("busybox")
    if not program:
        return
    tests = source / "testsuite"
    applets = {each.stem for each in tests.glob("*.tests")}
    applets |= {each.name for each in tests.iterdir() if each.is_dir()}

    def prepare(work: Path) -> None:
        shutil.copytree(tests, work / "testsuite", symlinks=True)
        shutil.copytree(source / "scripts", work / "scripts")
        shutil.copy(source / "debian/config/pkg/static", work / ".config")
        (work / "busybox").symlink_to(program)

    for applet in sorted(applets - {"bc"}):  # which only computes, for minutes
        argv = ["sh", "-c", f"cd testsuite && ./runtest {applet}"]
        yield Unit(applet, argv, verdicts.busybox, prepare=prepare, limit_s=120)


def cpython(_: Path) -> Iterator[Unit]:
    """Yield modules of the test package of the system's interpreter."""
    for module in selected("cpython"):
        # Some tests open as many sockets as they may, and to find a peer takes time for each.
        argv = ["prlimit", "--nofile=2048", "/usr/bin/python3", "-m", "test", "--junit-xml"]
        argv += [
            f"{{folder}}/{verdicts.JUNIT}",
            "--tempdir",
            "{folder}",
            "--timeout",
            "240",
            module,
        ]
        yield Unit(module, argv, verdicts.junit, limit_s=600)


def git(folder: Path) -> Iterator[Unit]:
    """Yield scripts of git, which has to be compiled there."""
    tests = folder / "git/t"
    scripts = {path for start in selected("git") for path in tests.glob(f"{start}*.sh")}
    environ = {"TEST_OUTPUT_DIRECTORY": "{folder}", "GIT_TEST_CHAIN_LINT": "0"}
    for script in sorted(scripts):
        argv = ["sh", f"./{script.name}", "--root={folder}"]
        yield Unit(script.stem, argv, verdicts.tap, cwd=tests, environ=environ)


def go(folder: Path) -> Iterator[Unit]:
    """Yield Go's packages, each compiled into FOLDER/go when it is run first."""
    root = Path(subprocess.check_output(["go", "env", "GOROOT"], text=True).strip()) / "src"
    for package in selected("go"):
        program = folder / "go" / package.replace("/", "-")
        argv = [program, "-test.v", "-test.short", "-test.timeout=280s"]
        prepare = partial(_compiled_test, package, program)
        yield Unit(package, argv, verdicts.go, cwd=root / package, prepare=prepare)


def _compiled_test(package: str, program: Path, _: Path) -> None:
    if not program.exists():
        program.parent.mkdir(exist_ok=True)
        subprocess.run(["go", "test", "-c", "-o", program, package], check=True)


def perl(folder: Path) -> Iterator[Unit]:
    """Yield perl's scripts t/op and t/io, for the perl that is installed."""
    source, library = folder / "perl", folder / "perl/installed"
    if not library.exists():
        for each in PERL_LIBRARIES:
            shutil.copytree(each, library, dirs_exist_ok=True)
        shutil.copytree(source / "t", library / "t")
        (library / "t/perl").symlink_to("/usr/bin/perl")
        (library / "lib").symlink_to(".")
    tests = [each for name in PERL_FOLDERS for each in (source / "t" / name).glob("*.t")]
    for script in sorted(tests):
        name = str(script.relative_to(source / "t"))

        def prepare(work: Path) -> None:
            shutil.copytree(library / "t", work / "t", symlinks=True)
            (work / "lib").symlink_to(library)

        argv = ["sh", "-c", f"cd t && exec ./perl -I../lib {name}"]
        yield Unit(name, argv, verdicts.tap, prepare=prepare, limit_s=120)


def stress_ng(_: Path) -> Iterator[Unit]:
    """Yield stressors that verify what they do."""
    for stressor in selected("stress-ng") if shutil.which("stress-ng") else ():
        argv = ["stress-ng", f"--{stressor}", "2", "--timeout", "2", "--verify", "--temp-path", "."]
        yield Unit(stressor, argv, verdicts.status, limit_s=60)


def node(folder: Path) -> Iterator[Unit]:
    """Yield test/parallel/test-KIND*.js, with the flags that stand in them."""
    tests = folder / "node/test"
    found = {each for kind in selected("node") for each in tests.glob(f"parallel/test-{kind}*.js")}
    for script in sorted(found):
        flags = FLAGS.search(script.read_text(errors="replace"))
        argv = ["node", *(flags[1].split() if flags else ()), script]
        environ = {"NODE_TEST_DIR": "{folder}"}
        yield Unit(script.stem, argv, verdicts.status, environ=environ, limit_s=120)


def _compiled(compiler: str, source: str, work: Path) -> None:
    (work / source).write_text((Path(__file__).parent / "programs" / source).read_text())
    subprocess.run([*compiler.split(), source], cwd=work, check=True, capture_output=True)


def languages(_: Path) -> Iterator[Unit]:
    """Yield programs of this folder, each in the language of its name, that print what they did."""
    programs = Path(__file__).parent / "programs"
    cgo = partial(_compiled, "go build -o program", "cgo.go")
    yield Unit(
        "cgo", ["{folder}/program"], verdicts.everything, prepare=cgo, environ={"GODEBUG": ""}
    )
    java = partial(_compiled, "javac", "ManyFiles.java")
    yield Unit("java", ["java", "-cp", ".", "ManyFiles"], verdicts.everything, prepare=java)
    commands = {
        "jshell": ["jshell", SILENT, "-s", programs / "files.jsh"],
        "luajit": ["luajit", programs / "files.lua"],
        "ruby": ["ruby", programs / "files.rb"],
        "php": ["php", programs / "files.php"],
    }
    for name, argv in commands.items():
        if shutil.which(name):
            yield Unit(name, argv, verdicts.everything)


SUITES: Mapping[str, Suite] = {
    "busybox": busybox,
    "cpython": cpython,
    "git": git,
    "go": go,
    "languages": languages,
    "node": node,
    "perl": perl,
    "stress-ng": stress_ng,
}
