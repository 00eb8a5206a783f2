"""What the last lines of a process name."""

from __future__ import annotations

import pytest

from scopetrace.query.last_output import LastOutput

CONF = {"file": "/etc/app/x.conf", "error": "ENOENT"}


@pytest.mark.parametrize(
    ("line", "data", "worth"),
    [
        ("cannot read /etc/app/x.conf", CONF, 100),
        ("/etc/app/x.conf: No such file or directory", CONF, 120),
        ("/etc/app/x.conf: No space left on device", CONF, 10),
        ("x.conf: Permission denied", CONF, 10),
        ("x.conf: Permission denied", {**CONF, "class": "exec"}, 60),
        ("x.conf?", CONF, 60),
        ("x.conf: No such file or directory", CONF, 80),
        ("No such file or directory", CONF, 20),
        ("Error: ENOENT: no such file or directory", CONF, 20),
        ("x.config, ax.conf, x.conf-2", CONF, 0),
        ("nothing", CONF, 0),
        ("in ./sub/y", {"file": "/w/sub/y", "file_passed": "./sub/y"}, 100),
        ("make all", {"file": "/w/all", "file_passed": "all"}, 40),
        ("to db", {"net_peer_name": "db", "error": "ECONNREFUSED"}, 0),
        ("to db1:80", {"net_peer_name": "db1", "error": "ECONNREFUSED"}, 60),
        ("port 8080", {"net_host_port": 8080}, 60),
        ("dial 10.0.0.1:8080: x", {"net_peer_ip": "10.0.0.1", "net_peer_port": 8080}, 100),
        ("dial [::1]:8080", {"net_peer_ip": "::1", "net_peer_port": 8080}, 100),
        ("dial 10.0.0.1:80801", {"net_peer_ip": "10.0.0.1", "net_peer_port": 8080}, 60),
        ("special device /dev/x", {"what": "/dev/x on /mnt", "error": "ENOENT"}, 100),
        ("HTTP Error 404: File not found", {"http_status_code": 404}, 60),
        ("timeout", {"domain": "x.test", "error": "timeout"}, 0),
        ("unable to index file 'x'", {"file": "/r/.git/index", "error": "ENOENT"}, 0),
        ("No such file: index of x", {"file": "/r/index", "error": "ENOENT"}, 0),
        ("no file index: No such file or directory", {"file": "/r/index", "error": "ENOENT"}, 80),
        ("in index of x: No such file or directory", {"file": "/r/index", "error": "ENOENT"}, 80),
        ("'index' is not there", {"file": "/r/index", "error": "ENOENT"}, 40),
        ("cannot find -lfoo", {"file": "/lib/libfoo.so", "error": "ENOENT"}, 60),
        ("cannot find -lfoo", {"file": "/lib/libfoo.a", "error": "ENOENT"}, 60),
        ("cannot find -lfoo", {"file": "/lib/libfool.a", "error": "ENOENT"}, 0),
        ("#include <x>", {"file": "/usr/include", "error": "ENOENT"}, 0),
        ("in database .git/objects", {"file": "/r/.git/objects", "error": "EACCES"}, 100),
        ("may not: .git/objects", {"file": "/r/1", "refused_by": "/r/.git/objects"}, 100),
        ("no /r/out, sorry", {"file": "/r/out/1", "missing_folder": "/r/out"}, 100),
        ("no out", {"file": "/r/out/1", "missing_folder": "/r/out"}, 0),
        ("GET http://db1/x", {"net_peer_name": "db1"}, 60),
        ("creating /r/out/1", {"file": "/r/out", "error": "EEXIST"}, 0),
        ("creating ./a/out/1", {"file": "/r/a/out", "error": "EEXIST"}, 0),
        ("    git push origin main", {"file": "/r/main", "error": "ENOENT"}, 0),
        ("    path: 'main'", {"file": "/r/main", "error": "ENOENT"}, 40),
        ("unknown revision 'HEAD~9'", {"file": "/r/HEAD", "error": "ENOENT"}, 0),
        ("unknown revision 'HEAD~9'", {"file": "/r/HEAD~9", "error": "ENOENT"}, 60),
        ("no name 'x' (/usr/lib/os.py)", {"file": "/bin/lib/os.py", "error": "ENOENT"}, 0),
        ("no name 'x' (/usr/lib/os.py)", {"file": "/root/usr/lib/os.py", "error": "ENOENT"}, 100),
        ("cannot read /var/run/x/y", {"file": "/run/x/y", "file_passed": "/var/run/x/y"}, 100),
        ("cannot remove /var/run/x/y", {"file": "/run/x/y", "file_passed": "y"}, 100),
        (
            "socket /var/run/y: No such file or directory",
            {"unix_peer_path": "/run/y", "error": "ENOENT"},
            120,
        ),
    ],
)
def test_what_it_is_worth_that_a_line_names_a_failure(line, data, worth) -> None:
    assert LastOutput([line]).worth(data) == worth


def test_a_line_that_an_earlier_failure_brought_about_names_none() -> None:
    lines = ["error: no such branch: main", "error: failed to push to 'origin'"]

    assert LastOutput(lines[1:]).worth({"file": "/r/origin", "error": "ENOENT"}) == 40
    assert LastOutput(lines).worth({"file": "/r/origin", "error": "ENOENT"}) == 0


def test_a_mere_word_of_a_line_that_complains_of_nothing_names_none() -> None:
    master = {"file": "/r/master", "error": "ENOENT"}

    assert LastOutput(["On branch master", "nothing to commit"]).worth(master) == 0
    assert LastOutput(["On branch master", "see the manual"]).worth(master) == 39
    assert LastOutput(["nothing to commit on master", "see the manual"]).worth(master) == 39
    assert LastOutput(["git: no master", "it failed"], program="git").worth(master) == 39


def test_the_name_of_the_program_names_no_failure() -> None:
    line = "mount: nowhere: mount point does not exist."
    output = LastOutput([line], program="mount")

    assert output.worth({"file": "/run/mount", "error": "EACCES"}) == 0
    assert output.worth({"file": "/w/nowhere", "error": "ENOENT"}) == 40
    assert output.said({"file": "/w/nowhere", "error": "ENOENT"}) == line


def test_a_later_line_is_worth_more() -> None:
    words = LastOutput(["x.conf a", "between", "x.conf b"])

    assert words.worth(CONF) == 60
    assert words.said(CONF) == "x.conf b"
    assert LastOutput(["x.conf a", "between", "last"]).worth(CONF) == 58


def test_what_the_last_line_has_the_words_of_another_error_for_is_another_matter() -> None:
    lines = ["/etc/app/x.conf: No such file or directory", "Error: connection refused"]

    assert LastOutput(lines).worth(CONF) == 9
    assert LastOutput(lines).worth({"error": "ECONNREFUSED"}) == 20
    assert LastOutput(lines, own=False).worth(CONF) == 119
    assert LastOutput([*lines, "exit 1"]).worth(CONF) == 118


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), ""),
        (("one", "two"), "two"),
        (("  return open(x)", "    ^^^^^^"), "return open(x)"),
        (("  Error: it broke", "}", "v20"), "Error: it broke"),
        (("E  assert 1 == 2", "1 failed in 0.1s"), "E  assert 1 == 2"),
        (("2 errors generated.",), "2 errors generated."),
        (("tool: (60) bad certificate", "tool failed to verify it"), "tool: (60) bad certificate"),
        (("tool: not so", "Error: it broke"), "Error: it broke"),
        (("tool: warning: odd", "it cannot start"), "it cannot start"),
        (("tool: one", "tool: two", "see --help"), "tool: two"),
        (("error: a", "error: b", "error: c"), "error: a"),
        (("fatal: a", "error: b", "error: c"), "error: b"),
        (("error[E1]: a", " --> x", "error: aborting due to 2 previous errors"), "error[E1]: a"),
        (("it is not there", "see the manual"), "it is not there"),
        (("nothing to commit", "working tree clean"), "nothing to commit"),
        (("tool: no option --x", "tool: try 'tool --help'"), "tool: no option --x"),
        (("error: no", "   0: a::error::b", "  at fail.c:3", "#1 panic () x.c"), "error: no"),
        (("tool: no option --x", "Usage: tool", *("  -n never",) * 40), "tool: no option --x"),
        (("Usage: tool [-f FILE]", *("  -n never",) * 40), "Usage: tool [-f FILE]"),
        (("ValueError: 1", "undefined reference to f", "at line 3"), "undefined reference to f"),
        (("/a/tool: one", "/a/tool: two", "see --help"), "/a/tool: two"),
        (("tool: no archive", "tool: exiting due to previous errors"), "tool: no archive"),
        (("9:41 [emerg] 7#7: unknown x", "tool: test failed"), "9:41 [emerg] 7#7: unknown x"),
        (("9:41 [emerg] 7#7: unknown x", "ValueError: y"), "ValueError: y"),
    ],
)
def test_the_last_complaint_says_most(lines: tuple[str, ...], said: str) -> None:
    assert LastOutput(lines, program="tool").said(None) == said


def test_what_says_most_is_among_the_lines_that_are_shown() -> None:
    words = LastOutput([" Error: x", "1", "2", "3"])

    assert words.shown("Error: x") == (" Error: x", "1", "2")
    assert words.shown("3") == ("1", "2", "3")
    assert words.shown("") == ("1", "2", "3")
    assert LastOutput(["tool: x", *"12" * 20]).shown("tool: x") == ("tool: x", "1", "2")
