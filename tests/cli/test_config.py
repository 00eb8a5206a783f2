from __future__ import annotations

from pathlib import Path

import yaml

STOCK = Path(__file__).parents[2] / "scope.yml"


def test_the_effective_configuration_is_yaml_that_is_valid_itself(scopetrace, tmp_path):
    status, out, err = scopetrace("config")

    assert (status, err) == (0, "")
    assert yaml.safe_load(out)["event"]["enable"] is True
    again = tmp_path / "again.yml"
    again.write_text(out)
    _, comment, rest = scopetrace("config", "-u", str(again))[1].partition(f"# {again}\n")
    assert comment
    assert rest == out.partition("\n")[2]


def test_variables_override_the_file(scopetrace, monkeypatch):
    monkeypatch.setenv("SCOPE_EVENT_ENABLE", "false")

    assert yaml.safe_load(scopetrace("config")[1])["event"]["enable"] is False


def test_the_stock_file_comes_with_its_comments(scopetrace):
    status, out, err = scopetrace("config", "--default")

    assert (status, err) == (0, "")
    assert "#" in out
    assert out.rstrip() == STOCK.read_text().rstrip()


def test_a_file_is_checked(scopetrace, tmp_path):
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text("event:\n  enable: true\n")
    bad.write_text("event:\n  enable: true\n  wotch: []\n")

    assert scopetrace("config", "--check", str(good)) == (0, f"{good} is valid\n", "")
    status, out, err = scopetrace("config", "--check", str(bad))
    assert (status, out) == (2, "")
    assert err.startswith(f"scopetrace: {bad}:3: event.wotch: ")
    assert err.count("\n") == 1


def test_warnings_are_shown_and_do_not_fail(scopetrace, tmp_path):
    file = tmp_path / "appscope.yml"
    file.write_text("cribl:\n  enable: false\n")

    status, out, err = scopetrace("config", "--check", str(file))

    assert (status, out) == (0, f"{file} is valid\n")
    assert err.startswith("scopetrace: ")
    assert "cribl" in err


def test_a_file_that_is_not_there_is_one_sentence(scopetrace):
    status, out, err = scopetrace("config", "--check", "none.yml")

    assert (status, out) == (2, "")
    assert err == "scopetrace: none.yml: No such file or directory\n"
