"""Each row of the README's table of features has a test that fails where it does not hold, and
what README and CHANGELOG count is counted."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from iptlint import __version__
from iptlint.cli import COMMANDS
from iptlint.reports.formats import FORMATS
from iptlint.rules.registry import rules

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
_MARK = r"(yes|no|part: [^|]*)"
_ROW = re.compile(rf"^\| ([^|]+) \| {_MARK} \| {_MARK} \| {_MARK} \|$", re.MULTILINE)
ROWS = {row[0]: row[1:] for row in _ROW.findall(README)}

TESTS = {
    "SARIF, GitHub, JUnit, JSON": "reports/test_formats.py",
    "GitLab, checkstyle, CSV, Markdown": "cli/test_output_formats.py",
    "several formats in one run": "cli/test_output_formats.py",
    "the JSON is a published schema": "cli/test_trace_log.py::test_json_is_the_contract",
    "configuration in a file": "cli/test_configuration.py",
    "settings for some files": "cli/test_configuration.py",
    "comments that suppress, by code": "findings/test_suppressions.py",
    "those that hide nothing are told": "findings/test_suppressions.py",
    "a baseline, with reason and expiry": "cli/test_baseline_option.py",
    "fixes, safe and unsafe": "cli/test_fix.py",
    "each fix is proved": "fixes/test_proof.py",
    "fixes as a diff": "cli/test_fix.py",
    "severity and confidence": "cli/test_check.py",
    "an explanation of each rule": "cli/test_rule_command.py",
    "statistics": "cli/test_manners.py",
    "settings shown, with their source": "cli/test_small_options.py::test_settings_and_who_says_so",
    "times shown": "cli/test_small_options.py::test_what_takes_how_long",
    "hyperlinks": "cli/test_small_options.py::test_a_code_leads_to_its_page",
    "did you mean": "dialects/test_did_you_mean.py",
    "watching files": "cli/test_watch.py",
    "a cache": "linter/test_store.py",
    "a language server": "editor",
    "completion of shells": "cli/test_completion.py",
    "a manual page": "test_manual.py",
    "a typed library": "test_api.py",
    "pre-commit": "test_precommit.py",
    "an action for GitHub": "test_integrations.py::test_the_action_annotates_and_writes_sarif",
    "MegaLinter": "test_more_integrations.py::test_megalinter",
    "Ansible, NixOS, systemd": "test_more_integrations.py",
    "published with attestations": "test_more_integrations.py",
}


def test_every_row_has_a_test() -> None:
    assert {*ROWS} == {*TESTS}


@pytest.mark.parametrize("row", TESTS)
def test_the_test_of_a_row_exists(row: str) -> None:
    name, _, function = TESTS[row].partition("::")
    path = ROOT / "tests" / name
    assert path.exists(), path
    if function:
        names = {
            n.name
            for n in ast.parse(path.read_text("utf-8")).body
            if isinstance(n, ast.FunctionDef)
        }
        assert function in names


def test_iptlint_has_what_the_table_says() -> None:
    assert all(marks[2].startswith(("yes", "part: ")) for marks in ROWS.values())


def test_rules_are_counted() -> None:
    count = len([*rules()])
    (said,) = re.findall(r"says what is wrong, by (\d+) rules", CHANGELOG)
    assert int(said) == count
    assert len(re.findall(r"^\| \[?`?IPT\d{3}", README, re.MULTILINE)) in (count, 0)


def test_every_command_has_a_line_in_the_readme() -> None:
    table = README.partition("## Use")[2].partition("\n\n`-` is")[0]
    assert [name for name in COMMANDS if name != "check" and f"`iptlint {name}" not in table] == []


def test_formats_and_version() -> None:
    assert len(
        re.findall(
            r"^\| `[\w-]+` \| ",
            README.partition("<!-- formats: begin -->")[2].partition("<!-- formats: end -->")[0],
            re.MULTILINE,
        )
    ) == len(FORMATS)
    assert re.search(rf"^## {re.escape(__version__)}\b", CHANGELOG, re.MULTILINE)


def test_the_readme_says_what_it_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    assert "Needs Python 3.11 or newer" in README
    assert re.search(r"takes? about \w+ minutes on two cores", README)
    assert "want root" in README
    assert {"Documentation", "Changelog", "Security"} <= {*project["urls"]}
