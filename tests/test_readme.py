"""What the README and the pages of docs show is what the product prints.

``python -m tests.test_readme`` writes it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from iptlint.reports.formats import FORMATS
from iptlint.reports.rule_docs import markdown_table, precedence_table
from iptlint.rules.registry import rules
from tests.test_manual import PAGE, manual

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EXAMPLE = "fixtures/hosts/web-server"


def output() -> str:
    result = CliRunner().invoke(group, [EXAMPLE], standalone_mode=False, catch_exceptions=False)
    return f"```\n$ iptlint {EXAMPLE}\n{result.stdout}```"


def log() -> str:
    args = ["trace", "fixtures/logs/rules.v4", "--log", "fixtures/logs/kern.log"]
    result = CliRunner().invoke(group, args, standalone_mode=False, catch_exceptions=False)
    return f"```console\n$ iptlint {' '.join(args)}\n{result.stdout}```"


def formats() -> str:
    rows = "".join(f"| `{name}` | {each.purpose} |\n" for name, each in FORMATS.items())
    return f"| format | |\n| --- | --- |\n{rows}".rstrip()


PARTS = {
    "output": (README, output),
    "formats": (README, formats),
    "rules": (README, lambda: markdown_table(rules()).rstrip()),
    "log": (ROOT / "docs/logs.md", log),
    "precedence": (ROOT / "docs/precedence.md", lambda: precedence_table(rules()).rstrip()),
}
"""Each on its page, between comments that bear its name."""


def written_anew(part: str) -> str:
    page, content = PARTS[part]
    pattern = rf"(<!-- {part}: begin -->\n).*?(<!-- {part}: end -->)"
    text, count = re.subn(
        pattern,
        lambda m: f"{m[1]}\n{content()}\n\n{m[2]}",
        page.read_text("utf-8"),
        flags=re.DOTALL,
    )
    assert count == 1
    return text


@pytest.mark.parametrize("part", PARTS)
def test_it_shows_what_is_printed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    page, _ = PARTS[part]
    assert page.read_text("utf-8") == written_anew(part), "run `python -m tests.test_readme`"


def test_the_manual_page_says_what_the_help_says() -> None:
    assert PAGE.read_text("utf-8") == manual(), "run `python -m tests.test_readme`"


def test_ci_runs_its_second_command() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text("utf-8")


if __name__ == "__main__":
    PAGE.write_text(manual(), "utf-8")
    for each, (page, _) in PARTS.items():
        page.write_text(written_anew(each), "utf-8")
