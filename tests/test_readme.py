"""What the README shows is what the product prints.

``python -m tests.test_readme`` writes it anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from iptlint.cli import group
from iptlint.reports.rule_docs import markdown_table
from iptlint.rules.registry import rules

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
EXAMPLE = "fixtures/hosts/web-server"


def output() -> str:
    result = CliRunner().invoke(group, [EXAMPLE], standalone_mode=False, catch_exceptions=False)
    return f"```\n$ iptlint {EXAMPLE}\n{result.stdout}```"


PARTS = {"output": output, "rules": lambda: markdown_table(rules()).rstrip()}


def written_anew(text: str, part: str) -> str:
    pattern = rf"(<!-- {part}: begin -->\n).*?(<!-- {part}: end -->)"
    content = PARTS[part]()
    return re.sub(pattern, lambda m: f"{m[1]}\n{content}\n\n{m[2]}", text, flags=re.DOTALL)


@pytest.mark.parametrize("part", PARTS)
def test_it_shows_what_is_printed(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = README.read_text("utf-8")
    assert text == written_anew(text, part), "run `python -m tests.test_readme`"


def test_ci_runs_its_second_command() -> None:
    commands = re.findall(r"^python3 -m venv .*$", README.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] in (ROOT / ".ci" / "run").read_text("utf-8")


if __name__ == "__main__":
    new = README.read_text("utf-8")
    for each in PARTS:
        new = written_anew(new, each)
    README.write_text(new, "utf-8")
