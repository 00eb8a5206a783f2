"""The classes of paths by the stock rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scopetrace.config.stock import stock_text
from scopetrace.query.path_classes import PathClasses, read_path_classes

PATHS = {
    "own": [
        "/home/ann/app/main.py", "/var/log/app.log", "/etc/nginx/nginx.conf", "/etc/app/hosts.yml",
        "/srv/www/index.html", "/tmp/x.so.txt", "/home/ann/lib/data.json", "/home/ann/devices",
        "/home/ann/proc/1", "/home/ann/module.py", "/home/ann/include/a.h", "/srv/lib/a.o",
        "/home/ann/web/src/i18n/de.json", "/home/ann/web/locale/de/app.po", "/srv/gems/list.txt",
        "/home/ann/compiler/jvm/Main.kt", "/home/ann/rubygems-mirror/a", "/srv/nscd/notes.txt",
        "/etc/ssl/private/site.key", "/etc/ssl/certs/site.pem", "/etc/ssl/site.pem",
        "/home/ann/openssl.cnf", "/dev/shm/queue", "/srv/local/go.mod",
    ],
    "caches": [
        "/home/ann/app/__pycache__/main.cpython-311.pyc", "/tmp/hsperfdata_ann/12",
        "/usr/lib/python3/dist-packages/yaml/__pycache__/__init__.cpython-311.pyc",
        "/home/ann/.cache/go-build/0a/1-d",
    ],
    "packages": [
        "/usr/lib/python3/dist-packages/yaml/__init__.py",
        "/home/ann/venv/lib/python3.11/site-packages/requests/api.py",
        "/home/ann/app/node_modules/left-pad/index.js", "/usr/share/nodejs/semver/index.js",
        "/var/lib/gems/3.1.0/gems/rack-2.2.4/lib/rack.rb", "/usr/lib/ruby/vendor_ruby/rubygems.rb",
        "/usr/local/lib/site_ruby/3.1.0/json.rb", "/home/ann/.gem/specs",
        "/home/ann/.local/share/gem/ruby/3.1.0", "/usr/lib/ruby/gems/3.1.0/gems/rack/lib/rack.rb",
        "/root/go/pkg/mod/golang.org/x/net/http2.go",
    ],
    "interpreter": [
        "/usr/lib/python3.11/encodings/__init__.py", "/usr/lib/python311.zip",
        "/usr/bin/pyvenv.cfg", "/usr/bin/Modules/Setup.local", "/usr/bin/Modules/Setup",
        "/usr/lib/x86_64-linux-gnu/perl-base/strict.pm", "/usr/share/perl/5.36/warnings.pm",
        "/etc/perl/Config.pm", "/usr/lib/ruby/3.1.0/json.rb",
        "/usr/lib/x86_64-linux-gnu/ruby/3.1.0/rbconfig.rb", "/usr/lib/go-1.19/src/fmt/print.go",
        "/usr/local/go/src/os/file.go", "/usr/share/tcltk/tcl8.6/init.tcl",
        "/home/ann/.rustup/toolchains/stable/lib/rustlib/x", "/usr/gnu/include",
        "/usr/lib/jvm/java-17-openjdk-amd64/lib/modules",
        "/usr/share/git-core/templates/info/exclude", "/home/ann/.pyenv/pyenv.d/exec",
        "/usr/include/x86_64-linux-gnu/bits/types.h", "/usr/local/include", "/usr/lib/gcc/x/12/as",
        "/usr/lib/x86_64-linux-gnu/crt1.o", "/usr/x86_64-linux-gnu/lib/specs",
    ],
    "locale": [
        "/usr/lib/locale/locale-archive", "/usr/share/locale/de/LC_MESSAGES/libc.mo",
        "/usr/share/zoneinfo/Europe/Berlin", "/etc/localtime", "/etc/nsswitch.conf",
        "/etc/resolv.conf", "/etc/hosts", "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache",
        "/usr/share/terminfo/x/xterm", "/etc/passwd", "/home/ann/.terminfo", "/etc/netsvc.conf",
    ],
    "loader": [
        "/etc/ld.so.cache", "/etc/ld.so.preload", "/usr/lib/x86_64-linux-gnu/libc.so.6",
        "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1", "/usr/lib/libfoo.so",
        "/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu/tls/x86_64",
    ],
    "system": [
        "/proc/self/maps", "/sys/devices/system/cpu/online", "/dev/null", "/run/nscd/socket",
        "/usr/lib/ssl/openssl.cnf", "/etc/ssl/certs/ca-certificates.crt", "/etc/selinux/config",
        "/dev", "/dev/sda", "/etc/ssl/certs/002c0b4f.0", "/etc/ssl/certs/java/cacerts",
        "/usr/share/ca-certificates/mozilla/a.crt", "/opt/python/ssl/openssl.cnf",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "path"), [(name, path) for name in PATHS for path in PATHS[name]])
def test_stock_rules(name: str, path: str) -> None:
    assert read_path_classes(stock_text()).of(path) == name


def test_without_rules_all_paths_are_the_programs_own() -> None:
    assert read_path_classes("event: {enable: true}\n").of("/etc/ld.so.cache") == "own"


def test_rules_of_the_configuration_replace_the_stock_ones() -> None:
    classes = read_path_classes("scopetrace: {pathclasses: {packages: [], system: ['/cache/']}}")

    assert classes.of("/home/ann/cache/x") == "system"
    assert classes.of("/etc/ld.so.cache") == "own"


TOKENS = (
    "a", "b", "/", "^", "$", "|", "(", ")", "*", "[ab]", "[^]a]", "[a|b]", r"[\[]", r"\|", r"\]",
    "(?:a|b)", "(?i:a)", r"(a)\1",
)  # fmt: skip


@given(st.lists(st.sampled_from(TOKENS), max_size=7).map("".join), st.text("aAb/|[]", max_size=4))
def test_a_rule_holds_where_its_expression_is_found(pattern: str, path: str) -> None:
    try:
        expression = re.compile(pattern)
    except re.error:
        return

    assert (PathClasses({"x": [pattern]}).of(path) == "x") == bool(expression.search(path))
