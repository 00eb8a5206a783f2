"""Build `scopetrace._engine`, the C half, from ext/, the modules of the package that have types for
C, the command `scopetrace` from launcher/, the manual pages from the help of the commands, the
course from examples/course, and the stock scope.yml as JSON. Everything else about the package
stands in pyproject.toml.

A module is compiled if a .pxd of its name stands beside it. It stays in the package as it is, and
is what runs where no compiled one is found: another Python, or a build with UNCOMPILED=1.

The machine is chosen by its header: where ext/arch/MACHINE.h exists, scopetrace can be built, with
the C files of ext/arch whose names begin the same.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import sysconfig
from functools import partial
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_py import build_py
from setuptools.errors import LinkError

# These are setuptools' own, which it puts in place when it is imported.
from distutils.ccompiler import new_compiler  # isort: skip
from distutils.command.build_scripts import build_scripts  # isort: skip
from distutils.sysconfig import customize_compiler  # isort: skip

ABI = 0x030B0000
"""The stable ABI of CPython 3.11: `_engine` serves that version and all later ones. The compiled
modules and `_inserts` are for one version, since that ABI has no quick calls: so is a wheel."""

WARNINGS = ["-Wall", "-Wextra", "-Werror=implicit"]


def machine() -> str:
    """Return the machine that is built for, which need not be the one that builds."""
    return sysconfig.get_platform().rpartition("-")[2]


def refusal() -> str | None:
    """Return why nothing can be built here, or None."""
    if not sysconfig.get_platform().startswith("linux-"):
        return f"scopetrace traces Linux programs and cannot be built for {sys.platform}"
    if not Path(f"ext/arch/{machine()}.h").exists():
        return f"scopetrace cannot be built for {machine()} yet: ext/arch has no header for it"
    return None


def files(*patterns: str) -> list[str]:
    """Return the files of ext/ that match, in an order that does not change."""
    return sorted(str(path) for pattern in patterns for path in Path("ext").rglob(pattern))


def c_files() -> list[str]:
    """Return the C files for this machine."""
    foreign = re.compile(rf"ext/arch/(?!{machine()})")
    return [path for path in files("*.c") if not foreign.match(path)]


def engine() -> Extension:
    """Return the extension module: the Python face and all C of ext/."""
    return Extension(
        "scopetrace._engine",
        sources=["ext/_engine.pyx", *c_files()],
        depends=files("*.h", "*.def", "*.inc", "*.pxd"),
        include_dirs=["ext"],
        define_macros=[
            ("_GNU_SOURCE", None),
            ("SCOPE_ARCH_H", f'"arch/{machine()}.h"'),
            ("Py_LIMITED_API", f"{ABI:#010x}"),
        ],
        extra_compile_args=["-std=gnu11", "-O2", "-pthread", *WARNINGS],
        extra_link_args=["-pthread"],
        py_limited_api=True,
    )


def alone(name: str, stable: bool = True) -> Extension:
    """Return the extension module that a file of Cython in ext/ is, without other C."""
    limits = [("Py_LIMITED_API", f"{ABI:#010x}")] if stable else []
    return Extension(
        f"scopetrace.{name}",
        sources=[f"ext/{name}.pyx"],
        depends=files("*.h"),
        include_dirs=["ext"],
        define_macros=[("_GNU_SOURCE", None), *limits],
        extra_compile_args=["-std=gnu11", "-O2", *WARNINGS],
        py_limited_api=stable,
    )


def compiled() -> list[Extension]:
    """Return the modules that are compiled."""
    if os.environ.get("UNCOMPILED"):
        return []
    sources = sorted(path.with_suffix(".py") for path in Path("scopetrace").rglob("*.pxd"))
    return [
        Extension(
            ".".join(path.with_suffix("").parts),
            sources=[str(path)],
            extra_compile_args=["-O2", "-fwrapv", "-g0"],
        )
        for path in sources
    ]


def remove_stale(modules: list[Extension]) -> None:
    """Remove from an earlier build what is not compiled any more: it would hide its module."""
    kept = {module.name for module in modules}
    for path in Path("build").glob("lib*/**/*.so"):
        if ".".join((*path.parts[2:-1], path.name.partition(".")[0])) not in kept:
            path.unlink()


def manual_pages() -> list[str]:
    """Write the manual pages and return their paths."""
    from docs.man_pages import write_pages

    return write_pages(Path("build/man1"))


def write_stock(path: Path) -> None:
    """Write the stock scope.yml as JSON."""
    from scopetrace.config.stock import write_built

    write_built(path)


def command_line() -> list[tuple[str, str]]:
    """Return what the launcher has to know of the command line, as macros."""
    from click import Option

    from scopetrace.cli.commands import ALIASES, COMMANDS, NAMES_TO_COME, cli
    from scopetrace.cli.run import SYSCALLS, run

    options = [param for param in run.params if isinstance(param, Option)]
    kinds = {
        **{name: "no" for each in options for name in (*each.opts, *each.secondary_opts)},
        **dict.fromkeys(run.with_value(), "required"),
        SYSCALLS: "optional",
    }
    short = [name for name in kinds if not name.startswith("--")]
    letters = [name[1] + ":" * (kinds.pop(name) == "required") for name in short]
    long = [f'{{"{name[2:]}",{kind}_argument,0,0}},' for name, kind in kinds.items()]
    flags = [f'"{name}",' for each in cli.params if each.expose_value for name in each.opts]
    others = [f'"{word}",' for word in (*COMMANDS, *ALIASES, *NAMES_TO_COME)]
    return [
        ("FIRST_FLAGS", "".join(flags)),
        ("RUN_OPTIONS", "".join(long)),
        ("RUN_SHORT_OPTIONS", f'"{"".join(letters)}"'),
        ("FIRST_WORDS", "".join(others)),
    ]


class BuildWithData(build_py):
    """Puts the lessons of examples/course into the package, and the stock scope.yml as JSON."""

    def run(self) -> None:
        """Build the package."""
        super().run()
        if not self.editable_mode:
            course = Path(self.build_lib, "scopetrace/course")
            shutil.rmtree(course, ignore_errors=True)
            shutil.copytree("examples/course", course)
            write_stock(Path(self.build_lib, "scopetrace/config/scope.json"))


class BuildLauncher(build_scripts):
    """Compiles the command among the scripts: it has to run before the interpreter does."""

    def run(self) -> None:
        """Build the launcher."""
        compiler = new_compiler()
        customize_compiler(compiler)
        (path,) = self.scripts
        objects = compiler.compile(
            [path],
            output_dir=self.get_finalized_command("build").build_temp,
            macros=[("_GNU_SOURCE", None), *command_line()],
            extra_preargs=["-std=gnu11", "-O2", *WARNINGS],
        )
        flags = [os.environ.get(name, "") for name in ("CFLAGS", "LDFLAGS")]  # as make(1) links
        link = partial(
            compiler.link_executable,
            *(objects, Path(path).stem, self.build_dir),
            extra_postargs=shlex.split(" ".join(flags)),
        )
        try:
            link(extra_preargs=["-static", "-s"])
        except LinkError:  # this machine has no libc.a
            link()


def main() -> None:
    """Translate to C what is compiled, and hand it to setuptools."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    modules = cythonize(
        [engine(), alone("_fs_sums"), alone("_inserts", stable=False), alone("_scan"), *compiled()],
        include_path=["ext"],
        build_dir="build",
        language_level=3,
        # Annotations stay what they are to a reader; the types for C stand in the .pxd.
        compiler_directives={"annotation_typing": False},
    )
    remove_stale(modules)
    setup(
        ext_modules=modules,
        data_files=[("share/man/man1", manual_pages())],
        scripts=["launcher/scopetrace.c"],
        cmdclass={"build_py": BuildWithData, "build_scripts": BuildLauncher},
        options={"build_ext": {"parallel": os.cpu_count()}},
    )


if reason := refusal():
    sys.exit(reason)
main()
