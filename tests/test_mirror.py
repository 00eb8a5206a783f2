"""Every module has its test where one looks for it: scopetrace/a/b.py in tests/a/test_b.py."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "scopetrace"

WITHOUT_TEST = {
    "__main__.py": "one line, run by every test that starts the command",
    "capture.py": "the thread around the engine: tests/recorder and tests/engine run it",
    "errors.py": "classes and numbers",
    "scoped.py": "by the fixture: tests/test_pytest_plugin.py",
    "source.py": "the interface of sources: each test of a source uses it",
    "cli/answers.py": "by the commands: tests/programs/test_answers.py",
    "dash/pane.py": "by the screen: tests/dash/test_app.py",
    "dash/scan_view.py": "by what it shows: tests/dash/test_files.py and test_logs.py",
    "decode/closing.py": "by what it emits: tests/decode/test_files.py and test_sockets.py",
    "decode/failed.py": "by what it emits: tests/decode/test_failures.py",
    "decode/parts.py": "by what is read with it: all tests of tests/decode",
    "lessons/bench.py": "by the lessons that happen there: tests/programs/test_lessons.py",
    "forward/connect.py": "over real connections: tests/forward/test_sender.py",
    "forward/connections.py": "over real connections: tests/forward/test_sender.py",
    "forward/start_message.py": "by its JSON: tests/forward/test_schemas.py",
    "forward/tls.py": "over real connections: tests/forward/test_sender.py",
    "model/difference.py": "by what is compared: tests/query/diff",
    "model/evidence.py": "by what is decoded: tests/decode/test_evidence.py",
    "model/exchange.py": "by what is read: tests/query/test_exchanges.py",
    "model/file_record.py": "by what is read: tests/query/test_files.py",
    "model/image.py": "fields without behaviour",
    "model/json_value.py": "a type",
    "model/metric.py": "a table",
    "model/operation.py": "fields without behaviour",
    "model/payload.py": "fields without behaviour",
    "model/process_tree.py": "by what is read: tests/query/test_tree.py",
    "model/report.py": "fields without behaviour",
    "model/rules.py": "an interface",
    "model/session.py": "fields without behaviour",
    "model/touch.py": "by what is read: tests/query/test_who*.py and tests/output/test_who.py",
    "model/summary.py": "by what is read: tests/query/test_summary.py",
    "model/whole_call.py": "fields without behaviour",
    "model/why.py": "by what is read: tests/query/test_why.py",
    "output/meanings.py": "texts: tests/output/test_cause.py and tests/programs/test_failures.py",
    "output/files.py": "by the command: tests/cli/test_files.py",
    "output/summary.py": "by the command: tests/cli/test_summary.py",
    "output/syscall_levels.py": "three words",
    "output/why.py": "by the command: tests/cli/test_why.py",
    "query/named_files.py": "by what is read: tests/query/test_files.py and test_who_file.py",
    "query/records.py": "by what is read: tests/query/test_session.py and test_events.py",
    "query/session_base.py": "by what it returns: test_session.py, test_connect.py",
    "query/session_events.py": "by what it returns: test_session.py, test_events.py",
    "query/session_files.py": "by what it returns: test_session.py, test_files.py",
    "query/session_flows.py": "by what it returns: test_session.py, test_flows.py",
    "query/session_metrics.py": "by what it returns: test_session.py, test_metrics.py",
    "query/session_processes.py": "by what it returns: test_session.py, test_tree.py",
    "query/session_syscalls.py": "by what it returns: test_session.py, test_syscalls.py",
    "recorder/stop_recording.py": "by the command: tests/cli/test_stop.py",
    "syscalls/call.py": "fields without behaviour",
    "syscalls/results.py": "by the lines: tests/syscalls/test_render.py and test_strace.py",
    "syscalls/structures.py": "by the lines: tests/syscalls/test_render.py and test_strace.py",
    "syscalls/text.py": "by the lines: tests/syscalls/test_render.py and test_strace.py",
    "syscalls/view.py": "by the lines: tests/syscalls/test_render.py and test_strace.py",
    "syscalls/waiting.py": "by the lines: tests/syscalls/test_render.py and test_strace.py",
    "sources/dns/names.py": "constants",
    "sources/http/names.py": "constants",
    "store/new_file.py": "by the files that it makes: tests/store/test_sessions.py",
    "streams/recognition.py": "by what flows are found to be: tests/streams/test_flows.py",
}
"""Modules that have no test of their name, and why or what tests them instead."""


def modules() -> set[str]:
    """Return the modules of the package; an __init__.py has the names of its folder only."""
    paths = (path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    return {str(path.relative_to(PACKAGE)) for path in paths}


def mirror_of(module: str) -> Path:
    path = Path(module)
    return ROOT / "tests" / path.with_name(f"test_{path.name}")


def test_every_module_has_its_test_or_a_reason() -> None:
    missing = {module for module in modules() if not mirror_of(module).exists()}
    unexplained = {
        str(mirror_of(module).relative_to(ROOT)) for module in missing - set(WITHOUT_TEST)
    }
    assert unexplained == set(), "write these, or add the module to WITHOUT_TEST with the reason"


def test_the_list_names_only_modules_that_exist_and_have_no_test() -> None:
    assert set(WITHOUT_TEST) <= modules()
    assert {module for module in WITHOUT_TEST if mirror_of(module).exists()} == set()
